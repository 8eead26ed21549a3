from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_aipipe.write.naming import taken_names

if TYPE_CHECKING:
    from pathlib import Path


def test_what_an_earlier_run_left_takes_no_name_from_a_test_that_is_kept(tmp_path: Path) -> None:
    for name in ("tests/test_price.py", ".aipipe/generated/test_parcel.py", ".aipipe/base/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert taken_names(tmp_path) == {"test_price.py"}
