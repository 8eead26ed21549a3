"""A small project on disk, and a request over it as the session would make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from coverage.parser import PythonParser

from pytest_aipipe.generate.model import Gap, KnownTest
from pytest_aipipe.generate.request import Request

if TYPE_CHECKING:
    from pathlib import Path

MakeRequest = Callable[..., Request]


@pytest.fixture
def make_request(tmp_path: Path) -> MakeRequest:
    def make(source: str, test: str = "", *, budget: float = 20.0, conftest: str = "") -> Request:
        root = tmp_path / "project"
        tests = root / "tests"
        tests.mkdir(parents=True)
        (root / "shop.py").write_text(source)
        (root / "pytest.ini").write_text("[pytest]\n")
        if conftest:
            (tests / "conftest.py").write_text(conftest)
        known = []
        if test:
            (tests / "test_shop.py").write_text(test)
            known = [
                KnownTest(
                    nodeid="tests/test_shop.py::test_known",
                    source_path=tests / "test_shop.py",
                    qualname="test_known",
                    fixtures=(),
                    params={},
                    lines={"shop.py": frozenset({1})},
                    arcs={},
                )
            ]
        parser = PythonParser(text=source)
        parser.parse_source()
        exits = {line for line, count in parser.exit_counts().items() if count > 1}
        arcs = frozenset(arc for arc in parser.arcs() if arc[0] in exits)
        lines = frozenset(parser.statements)
        return Request(
            root=root,
            rootdir=root,
            target=tests / "generated",
            python_path=(str(root),),
            pytest_args=("-p", "no:randomly", "-c", str(root / "pytest.ini")),
            sources={"shop.py": source},
            modules={"shop.py": "shop"},
            added={"shop.py": frozenset(range(1, source.count("\n") + 2))},
            arcs={"shop.py": arcs},
            covered={},
            covered_arcs={},
            gaps=[Gap("shop.py", "shop", "<module>", lines, arcs)],
            tests=known,
            budget=budget,
            sandbox="off",
        )

    return make
