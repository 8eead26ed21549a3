"""The two sides: the same candidate run on the base's files and on the head's, at once."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_aipipe.assertions.settle import raise_lines
from pytest_aipipe.compare.difference import differences, in_one_tree
from pytest_aipipe.compare.model import Pair
from pytest_aipipe.explore.explorer import Explorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_aipipe.compare.model import Difference
    from pytest_aipipe.explore.process import Launch
    from pytest_aipipe.explore.trialed import Trialed
    from pytest_aipipe.generate.model import Candidate
    from pytest_aipipe.generate.request import Request

SECONDS = 4.0
"""How long a candidate may take on one side."""


def on_base(
    request: Request,
    base_root: Path,
    sources: Mapping[str, str],
    added: Mapping[str, frozenset[int]],
) -> Request:
    """Return ``request`` as it would be asked in the base's tree.

    The import roots of the head's tree are exchanged for the base's, and put first, so that
    an installation of the head's tree is not met on the way.
    """
    moved = [str(_moved(Path(p), request.root, base_root)) for p in request.python_path]
    roots = [str(base_root / root) for root in import_roots(request.modules)]
    return replace(
        request,
        root=base_root,
        rootdir=_moved(request.rootdir, request.root, base_root),
        target=_moved(request.target, request.root, base_root),
        python_path=tuple(dict.fromkeys([*roots, *moved])),
        pytest_args=tuple(_arguments(request.pytest_args, request.root, base_root)),
        sources=sources,
        added=added,
        arcs={},
        covered={},
        covered_arcs={},
        tests=[
            replace(test, source_path=_moved(test.source_path, request.root, base_root))
            for test in request.tests
        ],
    )


def import_roots(modules: Mapping[str, str]) -> list[str]:
    """Return the folders, relative to the top, from which the changed modules are imported."""
    roots = []
    for path, module in modules.items():
        parts = Path(path).with_suffix("").parts
        names = tuple(module.split("."))
        if parts[-1:] == ("__init__",):
            parts = parts[:-1]
        if parts[-len(names) :] == names:
            roots.append("/".join(parts[: -len(names)]) or ".")
    return list(dict.fromkeys(roots))


def _moved(path: Path, root: Path, base_root: Path) -> Path:
    return base_root / path.relative_to(root) if path.is_relative_to(root) else path


def _arguments(arguments: Sequence[str], root: Path, base_root: Path) -> Iterator[str]:
    """Yield pytest's options as they read in the base's tree."""
    before = ""
    for argument in arguments:
        moved = argument.replace(str(root), str(base_root))
        # A configuration file that only the head has serves both sides.
        yield argument if before == "-c" and not Path(moved).is_file() else moved
        before = argument


def with_test_files(base_root: Path, head_root: Path, paths: Sequence[str], folder: Path) -> Path:
    """Return a copy of the base's tree in ``folder`` that has the head's test files.

    Both sides then run under the same conftest and helpers. Without such ``paths`` the
    base's tree itself is returned, which is only read.
    """
    if not paths:
        return base_root
    arena = folder / "base"
    shutil.copytree(base_root, arena, symlinks=True, copy_function=_linked)
    for path in paths:
        source, target = head_root / path, arena / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be the very file of the base's tree
        if source.is_file():
            shutil.copyfile(source, target)
    return arena


def _linked(source: str, target: str) -> None:
    """Give ``source`` a second name, which costs no time; copy it where that cannot be."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


class Arenas:
    """Runs candidates on both sides. Use as a context manager."""

    def __init__(
        self,
        base: Request,
        head: Request,
        *,
        launch: Launch,
        hash_seed: str = "0",
        seconds: float = SECONDS,
    ) -> None:
        self.requests = (base, head)
        self.shift = len(str(base.root)) - len(str(head.root))
        self._raises = tuple(
            {p: raise_lines(t) for p, t in r.sources.items()} for r in (base, head)
        )
        self.explorers = tuple(
            Explorer(
                request,
                launch=launch,
                jobs=1,
                timeout=seconds,
                hash_seed=hash_seed,
                guards=False,
            )
            for request in self.requests
        )
        self._pool = ThreadPoolExecutor(2)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self._pool.shutdown)
            for explorer in self.explorers:
                stack.enter_context(explorer)
            list(self._pool.map(lambda explorer: explorer.start(), self.explorers))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, batch: Sequence[Candidate]) -> list[Pair]:
        """Try every candidate on both sides, looking at what its values are worth."""

        def side(explorer: Explorer) -> Sequence[Trialed]:
            return explorer.try_all(batch, look=True)

        return [Pair(b, h) for b, h in zip(*self._pool.map(side, self.explorers), strict=True)]

    def differences(self, pair: Pair) -> tuple[Difference, ...]:
        """Return what tells a pair's runs apart, the plainest first."""
        base, head = self._raises
        roots = [str(request.root) for request in self.requests]
        return differences(in_one_tree(pair, *roots), shift=self.shift, raises=(base, head))

    def on(self, side: int, batch: Sequence[Candidate]) -> Sequence[Trialed]:
        """Try every candidate on one side only: 0 is the base, 1 the head."""
        return self.explorers[side].try_all(batch, look=True)

    def run_files(self, files: Sequence[tuple[str, str, str]]) -> list[Pair]:
        """Run whole test files as they would be written: name below the target, text, test."""

        def side(index: int) -> Sequence[Trialed]:
            target = self.requests[index].target
            texts = [(target / name, text, test) for name, text, test in files]
            return self.explorers[index].try_plain(texts)

        return [Pair(b, h) for b, h in zip(*self._pool.map(side, (0, 1)), strict=True)]
