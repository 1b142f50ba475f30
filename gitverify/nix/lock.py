"""``flake.lock``, read strictly: bytes in, the graph of inputs out.

Source: the Nix manual, "nix flake", *Lock files*; ``src/libflake/lockfile.cc`` (versions 5 to 7; this reads 7, which
Nix has written since 2020). Whoever proposes a change of the file may write anything into it, so what Nix would read
in some way of its own (the last of two equal keys, numbers with a fraction) is refused here.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from gitverify.errors import GitverifyError
from gitverify.limits import LIMITS
from gitverify.nix.circles import count_ways, on_circle
from gitverify.nix.nar import read_sri
from gitverify.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Attribute = str | int | bool
    Attributes = Mapping[str, Attribute]
    Path = tuple[str, ...]

_VERSION = 7
_FIELDS = frozenset({"version", "root", "nodes"})
_NODE_FIELDS = frozenset({"inputs", "locked", "original", "flake", "parent"})
_NAME = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_'.@+-]*")
_REV = re.compile("[0-9a-f]{40}")
_TOKENS = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_LONGEST = 40  # digits or characters that are quoted
_LARGEST = 1 << 63
_HOPS = 100  # names that are followed to get to an input: more is a circle, or meant to look like none


class LockError(GitverifyError):
    """The file is no lock file, or one that Nix might read otherwise than it looks."""


@dataclass(frozen=True, slots=True)
class Node:
    """One input, as it is locked.

    ``inputs``: its own inputs by name: the key of another node, or a path from the root (``follows``). ``locked`` and
    ``original`` are None of the root, and of nothing else. ``is_flake``: whether it is read as one, and so may have
    inputs. ``parent``: the path of the input in which a relative path begins, None where the lock names none.
    """

    key: str
    inputs: Mapping[str, str | Path] = field(default_factory=dict)
    locked: Attributes | None = None
    original: Attributes | None = None
    is_flake: bool = True
    parent: Path | None = None

    @property
    def is_own(self) -> bool:
        """Whether it is a folder of the flake itself, which no commit of its own is locked for."""
        locked = self.locked or {}
        parts = str(locked.get("path", "")).split("/")
        alone = locked.keys() == {"type", "path"} and locked["type"] == "path"
        return alone and self.parent == () and parts[0] != "" and ".." not in parts

    @property
    def kind(self) -> str:
        """What kind of input it is, such as ``git`` or ``github``."""
        return str((self.locked or {})["type"])

    @property
    def rev(self) -> bytes | None:
        """The raw id of the locked commit."""
        rev = (self.locked or {}).get("rev")
        return bytes.fromhex(str(rev)) if rev is not None else None

    @property
    def nar_hash(self) -> bytes | None:
        """The SHA-256 of what the input contains."""
        text = (self.locked or {}).get("narHash")
        return read_sri(str(text)) if text is not None else None


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file; every node's inputs lead somewhere."""

    root: str
    nodes: Mapping[str, Node]

    def inputs(self) -> Iterator[tuple[Path, Node]]:
        """Yield every node that is reached from the root, once, with the shortest path of names that leads to it."""
        seen = {self.root}
        waiting: deque[tuple[Path, str]] = deque([((), self.root)])
        while waiting:
            path, key = waiting.popleft()
            for name, target in sorted(self.nodes[key].inputs.items()):
                if isinstance(target, str) and target not in seen:
                    seen.add(target)
                    yield (*path, name), self.nodes[target]
                    waiting.append(((*path, name), target))

    def unused(self) -> list[str]:
        """Return the keys of the nodes that nothing leads to, sorted."""
        return sorted(set(self.nodes) - {self.root} - {node.key for _, node in self.inputs()})

    def find(self, path: Path) -> Node | None:
        """Return the node that a path of input names leads to, with what it follows; None where there is none."""
        node = self.nodes[self.root]
        todo = [*reversed(path)]
        for _ in range(_HOPS):
            if not todo:
                return node
            target = node.inputs.get(todo.pop())
            if target is None:
                return None
            if isinstance(target, str):
                node = self.nodes[target]
            else:  # from the root again
                node = self.nodes[self.root]
                todo += reversed(target)
        return None


def parse_lock(raw: bytes) -> Lock:
    """Read a lock file's content. Raises LockError."""
    whole = _object(_json(raw), "the file")
    _known(whole, _FIELDS, "the file")
    if whole.get("version") != _VERSION or isinstance(whole.get("version"), bool):
        _refuse(f"its version is not {_VERSION}, the one that is read here")
    nodes = _object(whole.get("nodes"), "“nodes”")
    if len(nodes) > LIMITS.lock_nodes:
        _refuse(f"it has more than {LIMITS.lock_nodes:,} nodes")
    root = _string(whole.get("root"), "“root”")
    if root not in nodes:
        _refuse(f"“root” names the node “{shown(root, _LONGEST)}”, which is not there")
    lock = Lock(root, {key: _node(key, value, is_root=key == root) for key, value in nodes.items()})
    for node in lock.nodes.values():
        _check_inputs(lock, node)
    _check_ways(lock)
    return lock


def relocked(raw: bytes, changes: Mapping[str, Attributes]) -> bytes:
    """Return a lock file, as Nix writes it, in which these nodes (by key) are locked so. Raises LockError."""
    whole = _json(raw)
    for key, locked in changes.items():
        whole["nodes"][key]["locked"] = dict(locked)
    return (json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _json(raw: bytes) -> Any:
    if len(raw) > LIMITS.lock_size:
        _refuse(f"it is {len(raw):,} bytes long; the limit is {LIMITS.lock_size:,}")
    try:
        text = raw.decode()
        _check_depth(text)
        found = json.loads(
            text, object_pairs_hook=_pairs, parse_float=_no_number, parse_constant=_no_number, parse_int=_integer
        )
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        _refuse("it has half of a character in it (a lone surrogate), which Nix does not read")
    except UnicodeDecodeError:
        _refuse("it is not UTF-8")
    except json.JSONDecodeError as error:
        _refuse(f"line {error.lineno}, column {error.colno}: it is no JSON ({error.msg})")
    return found


def _check_depth(text: str) -> None:
    depth = 0
    in_string = False
    for token in _TOKENS.finditer(text):
        if token[0] == '"':
            in_string = not in_string
        elif not in_string:
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > LIMITS.lock_depth:
            _refuse(f"brackets lie in one another more than {LIMITS.lock_depth} deep")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        _refuse(f"“{shown(twice, _LONGEST)}” stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > _LONGEST or not -_LARGEST <= int(text) < _LARGEST:
        _refuse(f"the number {text[:_LONGEST]} is too large")
    return int(text)


def _no_number(text: str) -> NoReturn:
    _refuse(f"“{text[:_LONGEST]}” is no whole number")


def _node(key: str, value: Any, *, is_root: bool) -> Node:
    where = f"the node “{shown(key, _LONGEST)}”"
    fields = _object(value, where)
    _known(fields, _NODE_FIELDS, where)
    inputs = _object(fields.get("inputs", {}), f"“inputs” of {where}")
    node = {name: _target(target, f"the input “{shown(name, _LONGEST)}” of {where}") for name, target in inputs.items()}
    for name in inputs:
        if _NAME.fullmatch(name) is None:
            _refuse(f"“{shown(name, _LONGEST)}” in {where} is no name of an input")
    if is_root:
        if fields.keys() - {"inputs"}:
            _refuse(f"{where} is the root, which has inputs and nothing else")
        return Node(key, node)
    if not isinstance(fields.get("flake", True), bool):
        _refuse(f"“flake” of {where} is neither true nor false")
    parent = _path(fields["parent"], f"“parent” of {where}") if "parent" in fields else None
    locked, original = (_attributes(fields.get(name), f"“{name}” of {where}") for name in ("locked", "original"))
    return Node(key, node, locked, original, fields.get("flake", True), parent)


def _target(value: Any, where: str) -> str | Path:
    return value if isinstance(value, str) else _path(value, where)


def _path(value: Any, where: str) -> Path:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        _refuse(f"{where} is no list of names")
    return tuple(value)


def _attributes(value: Any, where: str) -> Attributes:
    found = _object(value, where)
    for name, content in found.items():
        if not isinstance(content, str | int):
            _refuse(f"“{shown(name, _LONGEST)}” in {where} is neither text nor a whole number nor true or false")
    _string(found.get("type"), f"“type” in {where}")
    rev, nar_hash = found.get("rev"), found.get("narHash")
    if rev is not None and (not isinstance(rev, str) or _REV.fullmatch(rev) is None):
        _refuse(f"“rev” in {where} is not a whole commit id of 40 small hexadecimal digits")
    if nar_hash is not None:
        try:
            read_sri(_string(nar_hash, f"“narHash” in {where}"))
        except ValueError:
            _refuse(f"“narHash” in {where} is no hash: sha256-…")
    return found


def _check_inputs(lock: Lock, node: Node) -> None:
    for name, target in node.inputs.items():
        where = f"the input “{shown(name, _LONGEST)}” of the node “{shown(node.key, _LONGEST)}”"
        if isinstance(target, str):
            if target not in lock.nodes or target == lock.root:
                _refuse(f"{where} is to be “{shown(target, _LONGEST)}”, which is no node")
        elif target and lock.find(target) is None:
            _refuse(f"{where} follows “{shown('/'.join(target), _LONGEST)}”, which leads nowhere")


def _check_ways(lock: Lock) -> None:
    """Refuse a circle of inputs, and very many ways to the nodes: Nix goes each of them to its end, first of all.

    What follows something else counts for nothing here: Nix looks there only when the input is used.
    """
    used = [lock.nodes[lock.root], *(node for _, node in lock.inputs())]
    below = {node.key: [to for to in node.inputs.values() if isinstance(to, str)] for node in used}
    circle = on_circle(below)
    if circle is not None:
        _refuse(f"the node “{shown(circle, _LONGEST)}” is an input of itself, directly or through others")
    if count_ways(lock.root, below) > LIMITS.lock_nodes:
        _refuse(f"more than {LIMITS.lock_nodes:,} ways lead to its nodes")


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{where} is no object")
    return value


def _string(value: Any, where: str) -> str:
    if not isinstance(value, str):
        _refuse(f"{where} is no text")
    return value


def _known(found: dict[str, Any], known: frozenset[str], where: str) -> None:
    unknown = sorted(found.keys() - known)
    if unknown:
        _refuse(f"{where} has “{shown(unknown[0], _LONGEST)}”, of which it is not known here what Nix makes of it")


def _refuse(message: str) -> NoReturn:
    raise LockError(message)
