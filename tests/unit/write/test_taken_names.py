from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.generate.request import Naming
from pytest_aipipe.write.naming import file_name, taken_names

if TYPE_CHECKING:
    from pathlib import Path


def test_what_an_earlier_run_left_takes_no_name_from_a_test_that_is_kept(tmp_path: Path) -> None:
    for name in ("tests/test_price.py", ".aipipe/generated/test_parcel.py", ".aipipe/base/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert taken_names(tmp_path) == {"test_price.py"}


def test_where_one_fixed_name_is_collected_no_file_takes_the_place_of_another() -> None:
    naming = Naming(files=("tests.py",))
    first = file_name("shop", naming, {"tests.py"})
    second = file_name("shop", naming, {"tests.py", first})
    third = file_name("shop", naming, {"tests.py", first, second})
    assert [first, second, third] == [
        "test_shop_generated.py", "test_shop_generated_2.py", "test_shop_generated_3.py",
    ]  # fmt: skip
    assert file_name("shop", naming, {first, second}) == third
