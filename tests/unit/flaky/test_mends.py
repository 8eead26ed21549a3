"""What is proposed for each cause, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.flaky.causes import Cause
from pytest_aipipe.flaky.finding import Finding, Pollution
from pytest_aipipe.flaky.mend import clock, compare, ports, restore, surrounds, victim, wait
from pytest_aipipe.flaky.mend.guard import weakened
from pytest_aipipe.flaky.mend.proposal import Proposal, Scene
from pytest_aipipe.flaky.verdict import Verdict

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, tmp_path, tmp_path)


def propose(mender: Any, scene: Scene, text: str, **finding: Any) -> list[Proposal]:
    (scene.top / "test_a.py").write_text(text)
    (scene.top / "shop.py").write_text("LIMITS = {}\nDEBUG = False\n")
    finding.setdefault("cause", Cause.UNKNOWN)
    return list(mender(Finding("test_a.py::test_it", **finding), scene))


def failure(scene: Scene, line: int, **more: Any) -> Verdict:
    return Verdict("test_a.py::test_it", "failed", where=f"{scene.top}/test_a.py:{line}", **more)


def test_seeding_gives_the_state_back(scene: Scene) -> None:
    made = propose(surrounds.seed, scene, "def test_it():\n    assert draw() > 3\n")
    text = made[0].texts["test_a.py"]
    assert "import pytest\nimport random\n" in text
    assert '@pytest.mark.usefixtures("seeded")\ndef test_it():\n' in text
    assert "random.setstate(state)" in text
    compile(text, "test_a.py", "exec")


def test_a_taken_fixture_name_is_not_taken_twice(scene: Scene) -> None:
    text = "seeded = 1\n\n\ndef test_it():\n    assert draw() > 3\n"
    assert "def seeded_2():" in propose(surrounds.seed, scene, text)[0].texts["test_a.py"]


def test_a_comparison_of_lists_is_sorted_on_both_sides(scene: Scene) -> None:
    found = failure(scene, 2, compare={"kind": "order", "types": ["list", "list"]})
    made = propose(
        compare.sort, scene, "def test_it():\n    assert f(x) == [1, 2]\n", failure=found
    )
    assert "assert sorted(f(x)) == sorted([1, 2])\n" in made[0].texts["test_a.py"]
    assert made[0].allowed == {"sorted"}


def test_joined_text_is_compared_by_its_pieces(scene: Scene) -> None:
    found = failure(scene, 2, compare={"kind": "order", "types": ["str", "str"]})
    made = propose(compare.sort, scene, 'def test_it():\n    assert f() == "a, b"\n', failure=found)
    assert 'sorted(f().split(", ")) == sorted("a, b".split(", "))' in made[0].texts["test_a.py"]


def test_floats_are_compared_with_pytests_tolerance(scene: Scene) -> None:
    text = "def test_it():\n    assert total(x) == 0.3\n"
    found = failure(scene, 2, compare={"kind": "float"})
    made = propose(compare.approximate, scene, text, failure=found)
    new = made[0].texts["test_a.py"]
    assert "total(x) == pytest.approx(0.3)" in new
    assert weakened(text, new, ["test_it"], made[0].allowed) == ""


def test_a_fixed_port_becomes_one_that_the_system_chooses(scene: Scene) -> None:
    text = (
        "def test_it():\n    server = serve(8123)\n    try:\n"
        "        assert get(8123) == b'x'\n    finally:\n        server.close()\n"
    )
    found = failure(scene, 2, touched={"ports": [8123]})
    made = propose(ports.choose, scene, text, failure=found)
    texts = [one.texts["test_a.py"] for one in made]
    assert any(
        "    server = serve(0)\n    port = server.server_address[1]\n" in new
        and "get(port)" in new and "8123" not in new
        for new in texts
    )  # fmt: skip


def test_a_bound_variable_is_asked_for_after_the_bind(scene: Scene) -> None:
    text = "def test_it():\n    port = 8123\n    inbox.bind(('', port))\n    assert send(port)\n"
    found = failure(scene, 2, touched={"ports": [8123]})
    new = propose(ports.choose, scene, text, failure=found)[0].texts["test_a.py"]
    assert "    inbox.bind(('', 0))\n    port = inbox.getsockname()[1]\n" in new


def test_a_sleep_becomes_a_wait_for_what_is_asserted(scene: Scene) -> None:
    text = (
        "import time\n\n\ndef test_it():\n    start()\n    time.sleep(1)\n    assert seen == [1]\n"
    )
    new = propose(wait.wait, scene, text)[0].texts["test_a.py"]
    assert "    while not (seen == [1]) and time.monotonic() < deadline:\n" in new
    assert "    assert seen == [1]\n" in new
    assert "time.sleep(1)" not in new


def test_a_task_is_awaited_instead_of_slept_for(scene: Scene) -> None:
    text = (
        "import asyncio\n\n\nasync def test_it():\n    task = asyncio.create_task(f())\n"
        "    await asyncio.sleep(0.1)\n    assert done\n"
    )
    assert "await asyncio.wait([task])" in propose(wait.wait, scene, text)[0].texts["test_a.py"]


def test_a_short_limit_becomes_a_long_one(scene: Scene) -> None:
    made = propose(wait.wait, scene, "def test_it():\n    assert done.wait(0.05)\n")
    assert "done.wait(30)" in made[-1].texts["test_a.py"]


def polluted(key: str, kind: str, **row: Any) -> dict[str, Any]:
    told = {"key": key, "kind": kind, "was": "1", "now": "2", "double": False, **row}
    return {
        "pollution": Pollution("test_a.py::test_it", ("test_a.py::test_first",), (key,), (told,))
    }


VICTIM = "\n\ndef test_it():\n    assert clean()\n"


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        ("shop.DEBUG = True", 'monkeypatch.setattr(shop, "DEBUG", True)'),
        ("shop.LIMITS['a'] = 1", "monkeypatch.setitem(shop.LIMITS, 'a', 1)"),
        ("os.environ['A'] = 'b'", "monkeypatch.setenv('A', 'b')"),
        ("del os.environ['A']", "monkeypatch.delenv('A')"),
        ("os.chdir('/')", "monkeypatch.chdir('/')"),
    ],
)
def test_what_a_polluter_sets_goes_through_monkeypatch(
    scene: Scene, line: str, mended: str
) -> None:
    text = f"import os\nimport shop\n\n\ndef test_first():\n    {line}\n{VICTIM}"
    made = propose(restore.restore, scene, text, **polluted("attribute:shop.DEBUG", "attribute"))
    new = made[0].texts["test_a.py"]
    assert f"def test_first(monkeypatch):\n    {mended}\n" in new


def test_what_a_polluter_changes_elsewhere_is_given_back_by_a_fixture(scene: Scene) -> None:
    text = f"import shop\n\n\ndef test_first():\n    shop.fill()\n{VICTIM}"
    row = polluted("attribute:shop.LIMITS", "attribute", was="{}", now="{'a': 1}")
    new = propose(restore.restore, scene, text, **row)[0].texts["test_a.py"]
    assert "    before = copy.deepcopy(shop.LIMITS)\n    yield\n" in new
    assert '@pytest.mark.usefixtures("restored_limits")\ndef test_first():' in new
    compile(new, "test_a.py", "exec")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("environment:A", "environment"), ("folder:cwd", "folder"), ("logging:disable", "logging"),
        ("logging:shop", "logging"), ("handler:10", "handler"), ("hook:excepthook", "hook"),
        ("random:random", "random"), ("locale:locale", "locale"), ("umask:umask", "umask"),
        ("module:json", "module"), ("path:sys.path", "path"), ("decimal:context", "decimal"),
        ("socket:timeout", "socket"), ("limit:recursion", "limit"), ("warnings:filters", "warnings"),
    ],
)  # fmt: skip
def test_every_kind_of_state_has_a_fixture_that_gives_it_back(
    scene: Scene, key: str, kind: str
) -> None:
    text = f"def test_first():\n    change()\n{VICTIM}"
    new = propose(restore.restore, scene, text, **polluted(key, kind))[0].texts["test_a.py"]
    compile(new, "test_a.py", "exec")
    assert "yield" in new


def test_a_test_that_needs_another_does_first_what_that_does(scene: Scene) -> None:
    text = f"def test_first():\n    fill()\n{VICTIM}"
    needed = Pollution("test_a.py::test_it", ("test_a.py::test_first",), brittle=True)
    new = propose(victim.prepare, scene, text, pollution=needed)[0].texts["test_a.py"]
    assert "def test_it():\n    test_first()\n    assert clean()\n" in new


def test_the_clock_is_stopped_where_the_project_reads_it(scene: Scene) -> None:
    (scene.top / "clockwork.py").write_text(
        "import datetime\nfrom datetime import date\n\n\ndef now():\n"
        "    return datetime.datetime.now(), date.today()\n"
    )
    found = failure(scene, 2, touched={"clock_places": [f"{scene.top}/clockwork.py:6"]})
    made = propose(clock.freeze, scene, "def test_it():\n    assert now()\n", failure=found)
    new = made[0].texts["test_a.py"]
    assert 'monkeypatch.setattr("datetime.datetime", FrozenDatetime)' in new
    assert 'monkeypatch.setattr("clockwork.date", FrozenDate)' in new
    compile(new, "test_a.py", "exec")


def test_text_is_written_and_read_with_an_encoding(scene: Scene) -> None:
    text = "def test_it(tmp_path):\n    p.write_text('é')\n    open(p, 'rb')\n    assert open(p)\n"
    made = propose(surrounds.language, scene, text)
    new = made[0].texts["test_a.py"]
    assert weakened(text, new, ["test_it"], made[0].allowed) == ""
    assert "p.write_text('é', encoding=\"utf-8\")" in new
    assert "open(p, 'rb')" in new
    assert 'open(p, encoding="utf-8")' in new


def test_where_the_project_names_no_encoding_the_locale_of_the_test_does(scene: Scene) -> None:
    made = propose(surrounds.language, scene, "def test_it():\n    assert note() == 'é'\n")
    new = made[0].texts["test_a.py"]
    assert '    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")\n    yield\n' in new
    assert '@pytest.mark.usefixtures("utf8_locale")\ndef test_it():' in new


@pytest.mark.parametrize(
    ("key", "was", "line"),
    [
        ("shop.LIMITS", "{'a': 1}", """monkeypatch.setattr(shop, "LIMITS", {'a': 1})"""),
        ("shop.Shop.count", "0", 'monkeypatch.setattr(shop.Shop, "count", 0)'),
        ("test_a.seen", "[]", 'monkeypatch.setitem(globals(), "seen", [])'),
        ("test_a.TestIt.seen", "None", 'monkeypatch.setattr(TestIt, "seen", None)'),
    ],
)
def test_a_state_that_many_tests_change_is_set_where_it_is_needed(
    scene: Scene, key: str, was: str, line: str
) -> None:
    text = f"def test_first():\n    change()\n{VICTIM}"
    row = polluted(f"attribute:{key}", "attribute", was=was, now="other")
    new = propose(victim.prepare, scene, text, **row)[0].texts["test_a.py"]
    assert "def expected_state(monkeypatch):\n" in new
    assert f"\n    {line}\n" in new
    assert '@pytest.mark.usefixtures("expected_state")\ndef test_it():' in new
    compile(new, "test_a.py", "exec")


@pytest.mark.parametrize("was", ["<object object at 0x1>", "[1, 2, 3...", "absent"])
def test_a_state_that_cannot_be_written_down_is_not_set(scene: Scene, was: str) -> None:
    text = f"def test_first():\n    change()\n{VICTIM}"
    row = polluted("attribute:shop.LIMITS", "attribute", was=was)
    assert propose(victim.prepare, scene, text, **row) == []


def test_the_results_of_threads_are_joined_and_compared_sorted(scene: Scene) -> None:
    text = (
        "def test_it():\n    threads = [Thread(target=seen.append, args=(n,)) for n in (1, 2)]\n"
        "    time.sleep(1)\n    assert seen == [1, 2]\n"
    )
    found = failure(scene, 4, compare={"kind": "order", "types": ["list", "list"]})
    made = propose(wait.wait_sorted, scene, text, failure=found)[0]
    new = made.texts["test_a.py"]
    assert "    for one in threads:\n        one.join()\n    assert sorted(seen) == " in new
    assert "sleep" not in new
    assert weakened(text, new, ["test_it"], made.allowed) == ""


def test_a_list_of_threads_results_that_was_not_full_is_waited_for_and_sorted(
    scene: Scene,
) -> None:
    text = "def test_it():\n    a = Thread()\n    time.sleep(1)\n    assert seen == [1, 2]\n"
    short = failure(scene, 4, compare={"kind": "other", "types": ["list", "list"]})
    new = propose(wait.wait_sorted, scene, text, failure=short)[0].texts["test_a.py"]
    assert "    a.join()\n    assert sorted(seen) == sorted([1, 2])\n" in new
    number = failure(scene, 4, compare={"kind": "other", "types": ["int", "int"]})
    assert propose(wait.wait_sorted, scene, text, failure=number) == []


def test_the_clock_is_found_where_it_was_read_before_other_mends_moved_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "copy", tmp_path / "copy", tmp_path / "project")
    text = "from datetime import date\n\n\ndef test_it():\n    assert date.today() > DAY\n"
    for place in (scene.top, scene.origin):
        place.mkdir()
        (place / "test_a.py").write_text(text)
    moved = text.replace("\n\n\n", "\n\n\nHERE = 1\n\n\n")
    found = failure(scene, 5, touched={"clock_places": [f"{scene.top}/test_a.py:5"]})
    made = propose(clock.freeze, scene, moved, failure=found)
    new = made[0].texts["test_a.py"]
    assert 'monkeypatch.setitem(globals(), "date", FrozenDate)' in new
    assert "HERE = 1" in new
