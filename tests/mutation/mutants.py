"""Every small change to a module's source that should make a test fail."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import TYPE_CHECKING, NamedTuple

from .changes import replacements

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 300  # in characters; of longer lines only what differs is shown
_AROUND = 60


class Mutant(NamedTuple):
    """One change. ``function``: where it is; ``first_line``: of that function, 0 where it is run on import."""

    path: str
    function: str
    first_line: int
    line: int
    before: str
    after: str
    node: int
    nth: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it even when lines are added elsewhere."""
        return self.path, self.function, self.before, self.after

    def told(self) -> str:
        """Return it as it stands in the list of survivors."""
        return f"{self.path} {self.function} (line {self.line})\n- {self.before}\n+ {self.after}"


class _Place(NamedTuple):
    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    statement: ast.AST
    function: str
    first_line: int
    returns_bool: bool


def mutants(path: str, source: str) -> list[Mutant]:
    """Return all mutants of a module; ``path`` only names it."""
    found: dict[tuple[str, int, str, str], Mutant] = {}
    for at, place in enumerate(_places(ast.parse(source))):
        whole = ast.unparse(place.statement).splitlines()
        for nth, new in enumerate(replacements(place.node, returns_bool=place.returns_bool)):
            changed = _unparse_changed(place, new)
            before, after = _first_difference(whole, changed)
            line = getattr(place.node, "lineno", getattr(place.statement, "lineno", 0))
            mutant = Mutant(path, place.function, place.first_line, line, before, after, at, nth)
            if before != after:
                found.setdefault((place.function, line, before, after), mutant)
    return list(found.values())


def mutated(source: str, mutant: Mutant) -> ast.Module:
    """Return the module with this change."""
    tree = ast.parse(source)
    place = list(_places(tree))[mutant.node]
    new = list(replacements(place.node, returns_bool=place.returns_bool))[mutant.nth]
    _put(place, new)
    return ast.fix_missing_locations(tree)


def _put(place: _Place, new: ast.AST) -> None:
    for node in ast.walk(new):
        if "lineno" in node._attributes and not hasattr(node, "lineno"):
            ast.copy_location(node, place.node if hasattr(place.node, "lineno") else place.statement)
    if place.index is None:
        setattr(place.parent, place.field, new)
    else:
        getattr(place.parent, place.field)[place.index] = new


def _unparse_changed(place: _Place, new: ast.AST) -> list[str]:
    """Unparse the statement with the change in it, and undo the change."""
    if place.node is place.statement:
        return ast.unparse(new).splitlines()
    _put(place, deepcopy(new))
    changed = ast.unparse(place.statement).splitlines()
    _put(place, place.node)
    return changed


def _first_difference(before: list[str], after: list[str]) -> tuple[str, str]:
    for one, other in zip(before, after, strict=False):
        if one != other:
            return _shortened(one.strip(), other.strip())
    return (before or [""])[-1].strip(), (after or [""])[-1].strip()


def _shortened(before: str, after: str) -> tuple[str, str]:
    """Leave out what two long lines share, but for some of it on either side."""
    if len(before) <= _LONG:
        return before, after
    start = max(_alike(before, after) - _AROUND, 0)
    end = max(_alike(before[::-1], after[::-1]) - _AROUND, 0)
    return f"…{before[start : len(before) - end]}…", f"…{after[start : len(after) - end]}…"


def _alike(one: str, other: str) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _places(tree: ast.Module) -> Iterator[_Place]:
    """Yield every node that may be changed, always in the same order."""
    top = _Place(tree, tree, "", None, tree, "<module>", 0, returns_bool=False)
    todo = [top]
    while todo:
        place = todo.pop()
        yield place
        todo.extend(reversed(list(_below(place))))


def _below(place: _Place) -> Iterator[_Place]:
    node = place.node
    inside = isinstance(node, (ast.FunctionDef, ast.ClassDef))
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "bases", "type_comment", "ctx"}:
            continue
        function, line, returns_bool = place.function, place.first_line, place.returns_bool
        if inside and field == "body":
            function = node.name if function == "<module>" else f"{function}.{node.name}"
            if isinstance(node, ast.FunctionDef):
                line = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                returns_bool = isinstance(node.returns, ast.Name) and node.returns.id == "bool"
        several = isinstance(value, list)
        for index, child in enumerate(value if several else [value]):
            if isinstance(child, ast.AST) and not _is_left_alone(child):
                statement = child if isinstance(child, ast.stmt) else place.statement
                at = index if several else None
                yield _Place(child, node, field, at, statement, function, line, returns_bool)


def _is_left_alone(node: ast.AST) -> bool:
    """Whether nothing below is worth a change: types, documentation, wording."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case ast.Assign(targets=[ast.Name(id="__slots__")]) | ast.Call(func=ast.Name(id="TypeVar")):
            return True
    return False
