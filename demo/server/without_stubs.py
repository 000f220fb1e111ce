"""Keeps Gradio from writing stubs for editors, so that the page starts sooner.

Gradio parses the source of each of its components at every start, and writes a .pyi file beside it, which several
processes may do at once. There is no setting for it. Importing this module, before Gradio, switches it off; a test
fails if a new release does it elsewhere.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_WRITER = "gradio.component_meta"


class _WithoutStubs(Loader):
    """Loads Gradio's module as its own loader does, except that it writes nothing."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        module.create_or_modify_pyi = lambda *_: None  # type: ignore[attr-defined]


class _Finder(MetaPathFinder):
    """Finds this one module; everything else is left to the other finders."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == _WRITER else None
        if spec and spec.loader:
            spec.loader = _WithoutStubs(spec.loader)
        return spec


sys.meta_path.insert(0, _Finder())
