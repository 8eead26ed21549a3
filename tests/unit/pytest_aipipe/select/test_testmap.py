from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.store import open_store
from pytest_aipipe.select.files import EVER
from pytest_aipipe.select.reader import read_mentions
from pytest_aipipe.select.testmap import Fresh, Known, TestMap, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aipipe_core.store import Store

SOURCE = b"x = 1\n"
SOURCES = {"a.py": (digest_of(SOURCE), SOURCE)}
RAN = {"a.py": (b"\x02", b"\x01")}


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        yield opened


def test_what_is_written_is_read_back(store: Store) -> None:
    tests = TestMap(store, "env")
    tests.write(
        Fresh({"t.py::one": Known("p", 0.5, True, ("d/",), 7)}, {"t.py::one": RAN}), SOURCES
    )
    assert tests.tests() == {"t.py::one": Known("p", 0.5, True, ("d/",), 7)}
    assert tests.contents() == {"a.py": [digest_of(SOURCE)]}
    assert tests.rows("a.py", digest_of(SOURCE)) == [("t.py::one", b"\x02", b"\x01")]
    assert tests.source("a.py", digest_of(SOURCE)) == SOURCE


def test_a_test_that_ran_again_is_replaced_as_a_whole_and_keeps_its_history(store: Store) -> None:
    tests = TestMap(store, "env")
    tests.write(Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN}), SOURCES)
    new = b"x = 2\n"
    tests.write(
        Fresh({"t.py::one": Known("f")}, {"t.py::one": RAN}), {"a.py": (digest_of(new), new)}
    )
    assert tests.contents() == {"a.py": [digest_of(new)]}
    assert tests.tests()["t.py::one"].verdicts == "pf"


def test_tests_that_did_not_run_keep_their_rows(store: Store) -> None:
    tests = TestMap(store, "env")
    for name in ("t.py::one", "t.py::two"):
        tests.write(Fresh({name: Known("p")}, {name: RAN}), SOURCES)
    assert {who for who, _, _ in tests.rows("a.py", digest_of(SOURCE))} == {
        "t.py::one",
        "t.py::two",
    }
    assert set(tests.tests()) == {"t.py::one", "t.py::two"}


def test_another_environment_reads_nothing_of_it(store: Store) -> None:
    TestMap(store, "env").write(Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN}), SOURCES)
    other = TestMap(store, "other")
    assert other.tests() == {}
    assert other.rows("a.py", digest_of(SOURCE)) == []


def test_a_write_that_is_cut_short_leaves_tests_that_are_not_relied_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tests = TestMap(store, "env")
    fresh = Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN})
    tests.write(fresh, SOURCES)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tests._contexts, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        tests.write(fresh, SOURCES)
    assert tests.tests()["t.py::one"].verdicts.endswith("?")


def test_a_row_that_is_none_of_ours_is_a_test_of_which_nothing_is_known(store: Store) -> None:
    store.put("selection-tests", "env:t.py", {"t.py::one": ["p"]})
    assert TestMap(store, "env").tests() == {"t.py::one": Known()}


def test_what_modules_read_is_kept_beside_the_tests(store: Store) -> None:
    tests = TestMap(store, "env")
    fresh = Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN, "<module>a.py": RAN})
    fresh.reads = {"<module>a.py": ["data.json"]}
    tests.write(fresh, SOURCES)
    assert tests.reads() == {"<module>a.py": ["data.json"]}
    assert set(tests.tests()) == {"t.py::one"}


def test_a_test_that_is_no_more_is_forgotten_with_the_contents_that_only_it_ran(
    store: Store,
) -> None:
    tests = TestMap(store, "env")
    new = b"x = 2\n"
    tests.write(Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN}), SOURCES)
    later = {"a.py": (digest_of(new), new)}
    tests.write(Fresh({"t.py::two": Known("p")}, {"t.py::two": RAN}), later)
    tests.forget(lambda nodeid: nodeid == "t.py::one")
    assert set(tests.tests()) == {"t.py::two"}
    assert tests.contents() == {"a.py": [digest_of(new)]}
    assert tests.source("a.py", digest_of(SOURCE)) is None


def test_what_a_content_mentions_is_kept_as_long_as_the_content(store: Store) -> None:
    tests = TestMap(store, "env")
    tests.write(Fresh({"t.py::one": Known("p")}, {"t.py::one": RAN}), SOURCES)
    digest = digest_of(SOURCE)
    assert tests.mentions(digest) == read_mentions(SOURCE)
    tests.forget(lambda _: True)
    assert tests.mentions(digest) is None


def test_a_module_whose_file_is_deleted_keeps_no_old_content_alive(store: Store) -> None:
    tests = TestMap(store, "env")
    ran = {"t.py::one": RAN, "<module>gone.py": RAN, "<module>a.py": RAN}
    fresh = Fresh({"t.py::one": Known("p")}, ran)
    fresh.reads = {"<module>gone.py": ["old.json"], "<module>a.py": []}
    tests.write(fresh, SOURCES)
    new = b"x = 2\n"
    later = {"a.py": (digest_of(new), new)}
    again = {"t.py::one": RAN, "<module>a.py": RAN}
    tests.write(Fresh({"t.py::one": Known("p")}, again), later)
    assert len(tests.contents()["a.py"]) == 2

    tests.forget(lambda _: False, lambda path: path == "gone.py")

    assert tests.contents() == {"a.py": [digest_of(new)]}
    assert tests.reads() == {"<module>a.py": []}
    assert set(tests.tests()) == {"t.py::one"}


def test_a_catalogue_that_was_opened_once_stays_known_whoever_opens_it_no_more(
    store: Store,
) -> None:
    tests = TestMap(store, "env")
    for read in ([], ["de.po"], []):
        tests.write(
            Fresh({"t.py::one": Known("p")}, reads={"<module>a.py": read, EVER: read}), SOURCES
        )
    assert tests.reads() == {"<module>a.py": [], EVER: ["de.po"]}
