"""Constructors that a class inherits from another module of the project."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from pytest_aipipe.engines.analysis.bases import constructor_of
from pytest_aipipe.engines.analysis.module import view

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "src/shop/__init__.py": "from .signer import Signer\n",
    "src/shop/signer.py": """
        class Signer:
            def __init__(self, secret, salt=b"a"):
                self.secret = secret
        """,
    "src/shop/deep/far.py": """
        from ..signer import Signer

        class Far(Signer):
            pass
        """,
    "src/shop/broken.py": "class (:",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
    return tmp_path


def parameters(root: Path, text: str, path: str = "src/shop/timed.py") -> list[str] | None:
    name = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
    module = view(path, name.replace("/", "."), dedent(text))
    assert module is not None
    found = constructor_of(module, module.definitions["Timed"], root)
    return None if found is None else [one.name for one in found.parameters]


@pytest.mark.parametrize(
    "text",
    [
        "from .signer import Signer\nclass Timed(Signer): ...\n",
        "from shop.signer import Signer as Base\nclass Timed(Base): ...\n",
        "from . import signer\nclass Timed(signer.Signer): ...\n",
        "import shop.signer\nclass Timed(shop.signer.Signer): ...\n",
        "import shop.signer as s\nclass Timed(s.Signer): ...\n",
        "from shop import Signer\nclass Timed(Signer): ...\n",
        "from shop.deep.far import Far\nclass Timed(Far): ...\n",
        "from .signer import Signer\nclass Near(Signer): ...\nclass Timed(Near): ...\n",
    ],
)
def test_a_constructor_is_found_where_the_base_is_imported_from(root: Path, text: str) -> None:
    assert parameters(root, text) == ["secret", "salt"]


def test_a_package_looks_beside_itself(root: Path) -> None:
    text = "from .signer import Signer\nclass Timed(Signer): ...\n"
    assert parameters(root, text, "src/shop/__init__.py") == ["secret", "salt"]


def test_its_own_constructor_comes_first(root: Path) -> None:
    text = """
        from .signer import Signer
        class Timed(Signer):
            def __init__(self, age): ...
        """
    assert parameters(root, text) == ["age"]


@pytest.mark.parametrize(
    "text",
    [
        "class Timed: ...\n",
        "class Timed(Exception): ...\n",
        "from abc import ABC\nclass Timed(ABC): ...\n",
        "from .nowhere import Base\nclass Timed(Base): ...\n",
        "from .broken import Base\nclass Timed(Base): ...\n",
        "from .signer import Other\nclass Timed(Other): ...\n",
        "from .timed import Timed as Base\nclass Timed(Base): ...\n",
        "class Timed(make()): ...\n",
    ],
)
def test_what_is_not_there_builds_nothing(root: Path, text: str) -> None:
    assert parameters(root, text) is None


def test_modules_that_hand_a_name_on_in_a_circle_come_to_an_end(root: Path) -> None:
    (root / "src/shop/one.py").write_text("from .two import Base\n", "utf-8")
    (root / "src/shop/two.py").write_text("from .one import Base\n", "utf-8")
    assert parameters(root, "from .one import Base\nclass Timed(Base): ...\n") is None
