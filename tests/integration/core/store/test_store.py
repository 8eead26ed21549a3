from __future__ import annotations

import subprocess
import sys
import time

import pytest

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_core.store import Contexts, Coverage, Store, open_store


def test_values_come_back_as_they_were_put(store: Store) -> None:
    values = {
        "text": "ä\0\ud800",
        "number": 1.5,
        "list": [1, {"a": None}],
        "bytes": b"\0\xff",
        "": [],
    }
    store.put_many("space", values)
    assert {key: store.get("space", key) for key in values} == values
    assert dict(store.iter("space")) == values
    assert set(store.keys("space")) == set(values)


def test_a_later_put_replaces_an_earlier_one(store: Store) -> None:
    store.put("s", "k", 1)
    store.put("s", "k", b"two")
    assert store.get("s", "k") == b"two"
    assert store.keys("s") == ["k"]


def test_spaces_do_not_mix(store: Store) -> None:
    store.put("one", "k", 1)
    assert store.get("two", "k") is None
    assert store.get("two", "k", "default") == "default"


def test_deleting_says_whether_there_was_something(store: Store) -> None:
    store.put("s", "k", 1)
    assert store.delete("s", "k") is True
    assert store.delete("s", "k") is False
    assert store.get("s", "k") is None


def test_keys_of_any_length_and_letter_work(store: Store) -> None:
    keys = ["x" * 100_000, "x" * 99_999, "a\0b", "tests/ä.py::test[\udcff]", "' OR 1=1 --"]
    store.put_many("s", dict.fromkeys(keys, 1))
    assert sorted(store.keys("s")) == sorted(keys)


def test_many_values_are_put_in_one_step(store: Store) -> None:
    store.put_many("s", {str(n): n for n in range(3_000)})
    assert len(store.keys("s")) == 3_000
    with pytest.raises(ValueError, match="JSON"):
        store.put_many("s", {"0": "new", "bad": float("nan")})
    assert store.get("s", "0") == 0


def test_pruning_keeps_the_newest(store: Store) -> None:
    for n in range(6):
        store.put("s", str(n), n)
        time.sleep(0.002)
    store.put("other", "k", 1)
    assert store.prune("s", keep=2) == 4
    assert store.keys("s") == ["4", "5"]
    assert store.prune("s", older_than=3600) == 0
    time.sleep(0.01)
    assert store.prune("s", older_than=0.001) == 2
    assert store.keys("other") == ["k"]


def test_an_update_sees_what_is_there_and_returns_what_it_made(store: Store) -> None:
    assert store.update("s", "n", lambda old: (old or 0) + 1) == 1
    assert store.update("s", "n", lambda old: (old or 0) + 1) == 2


def test_an_update_that_raises_changes_nothing(store: Store) -> None:
    store.put("s", "n", 1)

    def fail(_: object) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        store.update("s", "n", fail)
    assert store.get("s", "n") == 1


WRITER = """
import sys
from aipipe_core.store import open_store, Contexts, Coverage
with open_store(sys.argv[1]) as store:
    contexts = Contexts(store)
    for n in range(15):
        store.update("s", "count", lambda old: (old or 0) + 1)
        store.put("s", f"{sys.argv[2]}-{n}", n)
        contexts.put({(f"digest{n % 5}", f"test-{sys.argv[2]}-{n % 7}"): Coverage(frozenset({n}))})
    assert store.findings == [], store.findings
"""


def test_several_processes_write_at_once_and_lose_nothing(url: str) -> None:
    # Nobody has made the tables yet: they also race for that.
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, url, str(n)], stderr=subprocess.PIPE)
        for n in range(3)
    ]
    for writer in writers:
        _, said = writer.communicate(timeout=120)
        assert writer.returncode == 0, said.decode()
    with open_store(url) as store:
        assert store.get("s", "count") == 45
        assert len(store.keys("s")) == 46
        contexts = Contexts(store)
        assert len(contexts.of_file("digest0")) == 9


def test_coverage_comes_back_by_file_and_by_test(store: Store) -> None:
    contexts = Contexts(store)
    one = Coverage(frozenset({1, 2, 900}), frozenset({(-1, 1), (1, 2), (2, -1)}))
    contexts.put(
        {("d1", "t1"): one, ("d1", "t2"): Coverage(frozenset({5})), ("d2", "t1"): Coverage()}
    )
    assert contexts.of_file("d1") == {"t1": one, "t2": Coverage(frozenset({5}))}
    assert contexts.of_test("t1") == {"d1": one, "d2": Coverage()}
    assert contexts.tests_touching("d1", [2, 3]) == {"t1"}
    assert contexts.known(["d1", "d2", "d3"]) == {"d1", "d2"}
    assert contexts.of_file("d3") == {}


def test_coverage_measured_again_replaces_what_was_known(store: Store) -> None:
    contexts = Contexts(store)
    contexts.put({("d", "t"): Coverage(frozenset({1}))})
    contexts.put({("d", "t"): Coverage(frozenset({2}))})
    assert contexts.of_file("d") == {"t": Coverage(frozenset({2}))}


def test_a_forgotten_test_leaves_nothing(store: Store) -> None:
    contexts = Contexts(store)
    contexts.put({("d", "t1"): Coverage(), ("d", "t2"): Coverage()})
    contexts.forget_test("t1")
    assert set(contexts.of_file("d")) == {"t2"}
    assert contexts.of_test("t1") == {}


def test_old_coverage_is_pruned_with_its_names(store: Store) -> None:
    contexts = Contexts(store)
    contexts.put({("old", "t1"): Coverage()})
    time.sleep(0.05)
    contexts.put({("new", "t2"): Coverage()})
    assert contexts.prune(older_than=0.03) == 1
    assert contexts.known(["old", "new"]) == {"new"}


def test_ten_thousand_contexts_are_compact_and_quick_to_put(store: Store) -> None:
    contexts = Contexts(store)
    lines = frozenset(range(1, 300, 2))
    contexts.put(
        {
            (f"{d:064x}", f"tests/test_{t}.py::test"): Coverage(lines)
            for d in range(100)
            for t in range(100)
        }
    )
    assert len(contexts.of_file(f"{5:064x}")) == 100


def test_a_store_of_a_later_version_is_refused(url: str) -> None:
    from aipipe_core.store.store import transaction
    from aipipe_core.store.tables import meta

    with open_store(url) as store, transaction(store.engine, write=True) as connection:
        connection.execute(meta.update().values(value="999"))
    with pytest.raises(RequestError, match=r"its schema is 999, ours 1.*\[store-newer\]"):
        open_store(url)


def test_an_older_store_is_brought_forward_step_by_step(store: Store) -> None:
    from aipipe_core.store.store import transaction
    from aipipe_core.store.tables import meta, prepare

    store.put("s", "k", "kept")
    done: list[int] = []
    steps = {1: lambda _: done.append(1), 2: lambda _: done.append(2)}
    for _ in range(2):
        with transaction(store.engine, write=True) as connection:
            prepare(connection, version=3, migrations=steps)
    assert done == [1, 2]
    with transaction(store.engine, write=False) as connection:
        assert connection.execute(meta.select()).all() == [("schema", "3")]
    assert store.get("s", "k") == "kept"


@pytest.mark.parametrize(
    "url_text", ["nonsense://x", "postgresql+nodriver://x", "://", "sqlite+x://"]
)
def test_a_url_that_cannot_be_used_is_one_clear_error(url_text: str) -> None:
    with pytest.raises(RequestError, match=r"\[store-url\]"):
        open_store(url_text)


def test_a_server_that_does_not_answer_is_one_clear_error_without_the_password() -> None:
    with pytest.raises(SurroundingsError) as caught:
        open_store("postgresql+psycopg://user:hunter2@127.0.0.1:1/db")
    assert caught.value.slug == "store-failed"
    assert "hunter2" not in str(caught.value)
