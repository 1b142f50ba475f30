"""How a mutant's code comes to be run: in functions that are there already, or in a module yet to be imported."""

from __future__ import annotations

import gc
import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import TYPE_CHECKING

from .mutants import mutated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .mutants import Mutant


class NoSwap(Exception):
    """The change can't be made in a module that is imported already."""


def compiled(copy: Path, mutant: Mutant) -> CodeType:
    """Compile the changed module as if it stood in the copied tree."""
    path = copy / mutant.path
    return compile(mutated(path.read_text(), mutant), str(path), "exec")


def swap(copy: Path, mutant: Mutant) -> None:
    """Change the functions of a module in place. Raises NoSwap."""
    path = copy / mutant.path
    before = dict(_functions(compile(path.read_text(), str(path), "exec")))
    after = dict(_functions(compiled(copy, mutant)))
    differ = {name for name, code in after.items() if before.get(name) != code}
    if mutant.first_line == 0 or not differ:
        raise NoSwap
    found = False
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename == str(path):
            name = function.__code__.co_qualname, function.__code__.co_firstlineno
            if name in differ:
                found = True
                try:
                    function.__code__ = after[name]
                except ValueError as error:
                    raise NoSwap from error
    if not found:
        raise NoSwap


def _functions(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from _functions(constant)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return self._code


class Finder:
    """Has one module imported with the change in it."""

    def __init__(self, copy: Path, mutant: Mutant) -> None:
        self._name = ".".join(Path(mutant.path).with_suffix("").parts)
        self._path = str(copy / mutant.path)
        self._code = compiled(copy, mutant)

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> object:
        """Answer for that module only."""
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=_Loader(name, self._path, self._code))

    def install(self) -> None:
        """Be asked before anyone else."""
        sys.meta_path.insert(0, self)
