"""Tests that a class inherits from a class of another test file."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pytest_aipipe.engines.source.existing import take
from pytest_aipipe.engines.source.inherited import whole_file

FOLDER = Path("/project/tests/unit")
BASE = """
    import pytest
    from decimal import Decimal
    from shop import Till, Coin

    FEE = Decimal(1)

    class TestTill:
        @pytest.fixture()
        def till(self):
            return Till(FEE)

        def test_pay(self, till):
            assert till.pay(Coin(2)) == FEE
"""


def sources(**texts: str) -> dict[Path, str]:
    return {FOLDER / f"{name}.py": dedent(text) for name, text in texts.items()}


def copied(given: dict[Path, str], name: str, qualname: str) -> str | None:
    file = whole_file(FOLDER / f"{name}.py", given)
    assert file is not None
    taken = take(file, qualname)
    if taken is None:
        return None
    return "\n".join([*taken.prelude(taken.function), taken.render(taken.function)])


@pytest.mark.parametrize(
    "statement",
    [
        "from test_base import TestTill",
        "from .test_base import TestTill",
        "from unit.test_base import TestTill",
    ],
)
def test_an_inherited_test_is_taken_with_the_class_that_defines_it(statement: str) -> None:
    safe = f"{statement}\nclass TestSafe(TestTill):\n    pass\n"
    text = copied(sources(test_base=BASE, test_safe=safe), "test_safe", "TestSafe.test_pay")
    assert text is not None
    assert "import TestTill" not in text
    assert text.index("import pytest") < text.index("class TestTill:")
    assert text.index("FEE = Decimal(1)") < text.index("class TestTill:")
    assert text.index("class TestTill:") < text.index("class TestSafe(TestTill):")
    assert text.count("def test_pay(") == 1


def test_what_is_taken_runs_as_the_inherited_test_did() -> None:
    base = """
        RATE = 3
        class TestTill:
            def rate(self):
                return RATE
            def test_pay(self):
                assert self.rate() == self.expected
    """
    safe = "from test_base import TestTill\nclass TestSafe(TestTill):\n    expected = 3\n"
    text = copied(sources(test_base=base, test_safe=safe), "test_safe", "TestSafe.test_pay")
    assert text is not None
    scope: dict[str, Any] = {"__name__": "made"}
    exec(text, scope)
    scope["TestSafe"]().test_pay()
    assert not hasattr(scope["TestTill"], "test_pay")


def test_a_base_of_a_base_in_a_third_file_comes_along() -> None:
    middle = "from test_base import TestTill\nclass TestMiddle(TestTill):\n    pass\n"
    safe = "from test_middle import TestMiddle\nclass TestSafe(TestMiddle):\n    pass\n"
    given = sources(test_base=BASE, test_middle=middle, test_safe=safe)
    text = copied(given, "test_safe", "TestSafe.test_pay")
    assert text is not None
    assert "class TestTill:" in text
    assert "class TestMiddle(TestTill):" in text


def test_a_base_keeps_the_name_under_which_it_was_imported() -> None:
    safe = "from test_base import TestTill as Till\nclass TestSafe(Till):\n    pass\n"
    given = sources(test_base=BASE.replace("import Till, Coin", "import Coin\n    import shop")
                    .replace("Till(FEE)", "shop.Till(FEE)"), test_safe=safe)  # fmt: skip
    text = copied(given, "test_safe", "TestSafe.test_pay")
    assert text is not None
    assert "class Till:" in text
    assert "class TestSafe(Till):" in text


def test_a_name_that_means_something_else_here_leaves_the_import_as_it_is() -> None:
    safe = "from test_base import TestTill\nFEE = 7\nclass TestSafe(TestTill):\n    pass\n"
    given = sources(test_base=BASE, test_safe=safe)
    assert copied(given, "test_safe", "TestSafe.test_pay") is None
    file = whole_file(FOLDER / "test_safe.py", given)
    assert file is not None
    assert "from test_base import TestTill" in file.imports


def test_of_two_files_of_one_name_the_one_beside_is_meant() -> None:
    safe = "from test_base import TestTill\nclass TestSafe(TestTill):\n    pass\n"
    given = sources(test_base=BASE, test_safe=safe)
    given[Path("/project/tests/zoo/test_base.py")] = "class TestTill:\n    pass\n"
    assert copied(given, "test_safe", "TestSafe.test_pay") is not None


def test_classes_that_are_named_like_their_base_are_looked_through_to_an_end() -> None:
    safe = "from lib import A\nclass A(A):\n    pass\nclass A(A):\n    pass\n"
    assert copied(sources(test_safe=safe), "test_safe", "A.test_pay") is None


def test_a_file_without_such_a_base_is_the_file_itself() -> None:
    given = sources(test_base=BASE)
    file = whole_file(FOLDER / "test_base.py", given)
    assert file is not None
    assert "class TestTill" in given[FOLDER / "test_base.py"]
    assert file is whole_file(FOLDER / "test_base.py", given)
    assert whole_file(FOLDER / "test_none.py", given) is None


def test_what_a_package_hands_on_is_what_its_module_defines() -> None:
    safe = "from shop.till import Till\nfrom test_base import TestTill\nclass TestSafe(TestTill):\n    till = Till\n"
    text = copied(sources(test_base=BASE, test_safe=safe), "test_safe", "TestSafe.test_pay")
    assert text is not None
    assert "from shop.till import Till" in text
    assert "from shop import Till" not in text
