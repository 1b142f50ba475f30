"""What may stand in place of one piece of syntax."""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd,
}
_FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}


def replacements(node: ast.AST, *, returns_bool: bool) -> Iterator[ast.AST]:
    """Yield what may replace a node; ``returns_bool``: whether the function around it returns a boolean."""
    change = _CHANGES.get(type(node))
    if change is not None:
        yield from change(node)
    elif isinstance(node, ast.Return):
        yield from _return(node, returns_bool=returns_bool)
    test = getattr(node, "test", None)
    if isinstance(test, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Subscript)):
        other = deepcopy(node)
        other.test = _negated(test)
        yield other


def _negated(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), deepcopy(node))


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for at, operator in enumerate(node.ops):
        for kind in _COMPARISONS[type(operator)]:
            other = deepcopy(node)
            other.ops[at] = kind()
            yield other


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    other = deepcopy(node)
    other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield other
    for at, value in enumerate(node.values):
        rest = [deepcopy(one) for one in node.values[:at] + node.values[at + 1 :]]
        yield rest[0] if len(rest) == 1 else ast.BoolOp(deepcopy(node.op), rest)
        if isinstance(value, (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr)):
            other = deepcopy(node)
            other.values[at] = _negated(value)
            yield other


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    yield deepcopy(node.operand)


def _arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    kind = _OPERATORS.get(type(node.op))
    if kind is not None:
        other = deepcopy(node)
        other.op = kind()
        yield other
    if isinstance(node.op, (ast.Sub, ast.BitOr, ast.BitAnd)):
        yield deepcopy(node.left)
        if not isinstance(node.op, ast.Sub):
            yield deepcopy(node.right)


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool(value):
            yield ast.Constant(not value)
        case int(value):
            yield ast.Constant(value + 1)
        case bytes(value):
            yield ast.Constant(b"" if value else b"mutant")
        case str(value) if " " not in value:  # what has spaces is wording
            yield ast.Constant("" if value else "mutant")


def _return(node: ast.Return, *, returns_bool: bool) -> Iterator[ast.AST]:
    value = node.value
    if value is None:
        yield ast.Pass()
    elif returns_bool:
        if not isinstance(value, ast.Constant):
            yield from (ast.Return(ast.Constant(value)) for value in (True, False))
    else:
        is_none = isinstance(value, ast.Constant) and value.value is None
        yield ast.Return(ast.Constant(... if is_none else None))


def _removed(_node: ast.AST) -> Iterator[ast.AST]:
    yield ast.Pass()


def _assignment(node: ast.Assign) -> Iterator[ast.AST]:
    if any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets):
        yield ast.Pass()


def _addition(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Pass()
    kind = _OPERATORS.get(type(node.op))
    if kind is not None:
        other = deepcopy(node)
        other.op = kind()
        yield other


def _jump(node: ast.Continue | ast.Break) -> Iterator[ast.AST]:
    yield ast.Pass()
    yield ast.Break() if isinstance(node, ast.Continue) else ast.Continue()


def _call(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        other = deepcopy(node)
        other.func = ast.Name(_FUNCTIONS[node.func.id], ast.Load())
        yield other
    if isinstance(node.func, ast.Name) and node.func.id == "next" and len(node.args) == 2:
        other = deepcopy(node)
        other.args[1] = ast.Constant(...)
        yield other
    symmetric = isinstance(node.func, ast.Name) and node.func.id in {"min", "max"}
    for at, (one, two) in enumerate(zip(node.args, node.args[1:], strict=False)):
        if not symmetric and not isinstance(one, ast.Starred) and not isinstance(two, ast.Starred):
            other = deepcopy(node)
            other.args[at], other.args[at + 1] = other.args[at + 1], other.args[at]
            yield other
    for at in range(len(node.keywords)):
        other = deepcopy(node)
        del other.keywords[at]
        yield other


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    for name in ("lower", "upper"):
        if getattr(node, name) is not None:
            other = deepcopy(node)
            setattr(other, name, None)
            yield other


def _either(node: ast.IfExp) -> Iterator[ast.AST]:
    yield deepcopy(node.body)
    yield deepcopy(node.orelse)


def _comprehension(node: ast.comprehension) -> Iterator[ast.AST]:
    for at, condition in enumerate(node.ifs):
        other = deepcopy(node)
        del other.ifs[at]
        yield other
        if not isinstance(condition, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            other = deepcopy(node)
            other.ifs[at] = _negated(condition)
            yield other


def _handler(node: ast.ExceptHandler) -> Iterator[ast.AST]:
    other = deepcopy(node)
    other.body = [ast.Raise()]
    yield other


def _display(node: ast.Tuple | ast.List | ast.Set) -> Iterator[ast.AST]:
    for at, element in enumerate(node.elts):
        if isinstance(element, ast.Starred) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            other = deepcopy(node)
            del other.elts[at]
            yield other


_CHANGES: dict[type[ast.AST], Callable[..., Iterator[ast.AST]]] = {
    ast.Compare: _compare,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.BinOp: _arithmetic,
    ast.Constant: _constant,
    ast.Raise: _removed,
    ast.Expr: _removed,
    ast.Assign: _assignment,
    ast.AugAssign: _addition,
    ast.Continue: _jump,
    ast.Break: _jump,
    ast.Call: _call,
    ast.Slice: _slice,
    ast.IfExp: _either,
    ast.comprehension: _comprehension,
    ast.ExceptHandler: _handler,
    ast.Tuple: _display,
    ast.List: _display,
    ast.Set: _display,
}
