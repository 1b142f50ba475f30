"""The reason codes that the package's sources can make, found in the sources: no list of codes or of makers is kept."""

import ast
import re
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
WORD = re.compile("[a-z]+(-[a-z]+)*")

# A repository that is none is a usage error, and one whose settings can't be written has no code of its own. What
# parsers of keys say of a key becomes another code: a policy's, or a signature's. What “policy check” warns of is no
# reason for an answer.
NO_REASONS = {"not-a-repository", "config", "weak", "unsupported", "malformed", "likely-mistake"}


@cache
def emitted():
    """Return every string that the sources put in the place of a code.

    That place is an argument for a parameter, or a field of a class, that is called ``code``; its default; and what is
    assigned to a variable or an attribute of that name.
    """
    trees = [ast.parse(path.read_text()) for path in sources()]
    places = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef):
            parameters = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
            note(places, node.name, [name for name in parameters if name not in {"self", "cls"}])
        elif isinstance(node, ast.ClassDef):
            note(places, node.name, constructor(node))
    found = set()
    for tree in trees:
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.Module)):
            found |= made_in(function, places)
    return found - NO_REASONS


def sources():
    """Return the files of all modules that some command uses: what nothing calls yet answers nobody."""
    graph = grimp.build_graph("gitverify", cache_dir=None)
    used = graph.find_upstream_modules("gitverify.cli", as_package=True) | graph.find_descendants("gitverify.cli")
    paths = [ROOT / module.replace(".", "/") for module in used]
    return [path.with_suffix(".py") if not path.is_dir() else path / "__init__.py" for path in paths]


def made_in(function, places):
    """Return the codes in a function, or a module; a variable that is handed on as a code is looked up in it."""
    assigned, values = {}, []
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in targets(node):
                assigned.setdefault(name_of(target), []).append(node.value)
        elif isinstance(node, ast.FunctionDef):
            values += defaults(node)
        elif isinstance(node, ast.Call):
            values += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            values += [node.args[at] for at in places.get(name_of(node.func), ()) if at < len(node.args)]
    if isinstance(function, ast.FunctionDef):
        values += [value for node in values if isinstance(node, ast.Name) for value in assigned.get(node.id, [])]
    return words(*values, *assigned.get("code", []))


def note(places, name, parameters):
    if "code" in parameters:
        places.setdefault(name, set()).add(parameters.index("code"))


def constructor(node):
    """Return the names of what a class is made of: its ``__init__``'s, else its fields."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return [argument.arg for argument in inner.args.args[1:]]
    return [field.target.id for field in fields(node)]


def fields(node):
    return [inner for inner in node.body if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)]


def targets(node):
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def defaults(node):
    """Return the default of a parameter that is called ``code``."""
    positional = [*node.args.posonlyargs, *node.args.args]
    pairs = [*zip(reversed(positional), reversed(node.args.defaults), strict=False)]
    pairs += zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    return [default for argument, default in pairs if argument.arg == "code"]


def name_of(node):
    return getattr(node, "id", None) or getattr(node, "attr", None)


def words(*values):
    """Return the one-word strings that these expressions may come to; not what is looked up or called in them."""
    found = set()
    for node in values:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.fullmatch(node.value):
            found.add(node.value)
        elif isinstance(node, ast.IfExp):
            found |= words(node.body, node.orelse)
        elif isinstance(node, ast.BoolOp):
            found |= words(*node.values)
    return found
