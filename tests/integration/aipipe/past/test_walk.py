"""The walk through real histories: origins, labels, and nothing learned too early."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from aipipe.past.keep import load, save
from aipipe.past.learn import FOLDER, learned
from aipipe.past.stream import stream
from aipipe.past.walk import Row, Walk
from aipipe_core.errors import SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project


def walk_of(project: Project) -> Walk:
    listed = project.git("rev-list", "--parents", "HEAD").splitlines()
    children = Counter(parent for line in listed for parent in line.split()[1:])
    walk = Walk()
    list(walk.take(stream(project.root, "HEAD"), children))
    return walk


def row(walk: Walk, name: str) -> Row:
    return walk.rows[walk.numbers[name]]


def blame(project: Project, path: str) -> list[str]:
    lines = project.git("blame", "-w", "-l", "-s", "--root", path).splitlines()
    return [line.split()[0].lstrip("^") for line in lines]


def origins(project: Project, walk: Walk, path: str) -> list[str]:
    names = {number: name for name, number in walk.numbers.items()}
    head = project.git("rev-parse", "HEAD")
    return [names[number] for number in walk.trees[head][path].origins]


BODY = "".join(f"def function_{n}(value):\n    return value + {n}\n\n\n" for n in range(8))


def test_origins_are_those_of_git_blame_through_edits_renames_and_indents(
    project: Project,
) -> None:
    project.commit("one", app=BODY)
    edited = BODY.replace("value + 3", "value * 3").replace("value + 6", "value - 6")
    project.commit("two", app=edited)
    project.git("mv", "app.py", "core.py")
    project.commit("three", core=edited + "LAST_LINE_OF_ALL = 1\n")
    project.commit("four", core=edited.replace("    return value * 3", "        return value * 3"))
    walk = walk_of(project)
    assert origins(project, walk, "core.py") == blame(project, "core.py")
    head = project.git("rev-parse", "HEAD")
    assert set(walk.trees[head]) == {"core.py"}


def test_a_merge_takes_from_the_other_side_what_came_from_there(project: Project) -> None:
    project.commit("base", app=BODY)
    project.git("checkout", "-q", "-b", "side")
    project.commit("side", app=BODY.replace("value + 1", "value + 100"), extra="x = 1\n")
    project.git("checkout", "-q", "main")
    project.commit("main", app=BODY.replace("value + 7", "value + 700"))
    project.git("merge", "-q", "--no-edit", "side")
    walk = walk_of(project)
    assert origins(project, walk, "app.py") == blame(project, "app.py")
    assert origins(project, walk, "extra.py") == blame(project, "extra.py")
    assert len(walk.rows) == 3


def test_a_moved_block_keeps_its_origin(project: Project) -> None:
    first = project.commit("one", a=BODY, b="y = 1\n")
    project.commit("two", a="z = 1\n", b="y = 1\n" + BODY)
    walk = walk_of(project)
    told = [line for line in origins(project, walk, "b.py") if line == first]
    assert len(told) >= 16


def test_a_fix_labels_who_wrote_the_lines_that_it_removed(project: Project) -> None:
    good = project.commit("Add price", a="def price(n):\n    return n * 2\n")
    bad = project.commit("Add discount", a="def price(n):\n    return n * 2 - n * 9\n")
    other = project.commit("Add tax", b="TAX_RATE = 19\n")
    fix = project.commit("Fix negative prices", a="def price(n):\n    return max(0, n * 2)\n")
    walk = walk_of(project)
    assert row(walk, bad).found is not None
    assert row(walk, bad).found_by == fix
    for innocent in (good, other, fix):
        assert row(walk, innocent).found is None


@pytest.mark.parametrize(
    ("message", "before", "after"),
    [
        ("Fix typo in comment", "x = 1\n# teh\n", "x = 1\n# the\n"),
        ("Fix crash", "import os\nx = 1\n", "import sys\nx = 1\n"),
        ("Fix crash", "# wrong note\nx = 1\n", "# right note\nx = 1\n"),
        ("Fix crash", "if x:\n  y = compute(1)\n", "if x:\n      y = compute(1)\n"),
        ("Fix crash", "a_long_enough = 1\nb = 2\n", "b = 2\na_long_enough = 1\n"),
        ("Fix the docs build", "x = 1\n", "x = 2\n"),
        ("Change x", "x = 1\n", "x = 2\n"),
    ],
)
def test_what_carries_no_behaviour_blames_nobody(
    project: Project, message: str, before: str, after: str
) -> None:
    project.commit("start", a=before)
    project.commit(message, a=after)
    assert not walk_of(project).faulty


def test_a_revert_labels_what_it_takes_back(project: Project) -> None:
    project.commit("start", a="x = 1\n")
    bad = project.commit("Be clever", a="x = 2\n", b="y = 1\n")
    project.git("revert", "--no-edit", bad)
    assert row(walk_of(project), bad).found is not None


def test_a_sweeping_fix_blames_nobody(project: Project) -> None:
    project.commit("start", **{f"m{n}": f"value = {n}\n" for n in range(12)})
    project.commit("Fix everything", **{f"m{n}": f"value = -{n + 1}\n" for n in range(12)})
    assert not walk_of(project).faulty


def test_nothing_that_is_learned_later_changes_what_was_measured_before(
    project: Project,
) -> None:
    for n in range(6):
        project.commit(f"Add {n}", a=f"value = {n}\nother_thing = {n * n}\n")
    head = project.git("rev-parse", "HEAD")
    before = {r.name: r.measures for r in walk_of(project).rows.values()}
    project.commit("Fix value", a="value = -1\nother_thing = 25\n")
    after = walk_of(project)
    assert row(after, head).found is not None
    for name, measures in before.items():
        assert row(after, name).measures == measures


def test_a_walk_that_goes_on_ends_where_a_whole_one_ends(project: Project, tmp_path: Path) -> None:
    project.commit("start", a=BODY)
    project.git("checkout", "-q", "-b", "side")
    project.commit("Add side", b="b_value = 1\n")
    project.git("checkout", "-q", "main")
    middle = project.commit("Add main", a=BODY + "more_values = 1\n")
    learned(project.root, middle, tmp_path / "kept")
    project.git("merge", "-q", "--no-edit", "side")
    head = project.commit("Fix side", b="b_value = 2\n", a=BODY + "more_values = 3\n")
    went_on = learned(project.root, head, tmp_path / "kept")
    whole = learned(project.root, head, tmp_path / "fresh")
    assert {r.name: r.found for r in went_on.rows.values()} == {
        r.name: r.found for r in whole.rows.values()
    }
    assert went_on.trees[head]["a.py"].marks == whole.trees[head]["a.py"].marks
    assert len(went_on.faulty) == len(whole.faulty) == 2


def test_a_kept_walk_that_cannot_be_read_is_walked_again(project: Project, tmp_path: Path) -> None:
    head = project.commit("start", a="x = 1\n")
    for content in (b"", b"nonsense", b"\x80\x04}q\x00."):
        (tmp_path / FOLDER).mkdir(exist_ok=True)
        (tmp_path / FOLDER / "walk.json.z").write_bytes(content)
        assert load(tmp_path / FOLDER) is None
        assert len(learned(project.root, head, tmp_path).rows) == 1


def test_a_walk_comes_back_as_it_was_kept(project: Project, tmp_path: Path) -> None:
    project.commit("start", a=BODY)
    project.commit("Fix it", a=BODY.replace("value + 3", "value * 3"))
    walk = walk_of(project)
    save(walk, tmp_path)
    back = load(tmp_path)
    assert back is not None
    assert back.trees == walk.trees
    assert back.faulty == walk.faulty
    assert back.memory == walk.memory


def test_a_shallow_clone_is_refused_with_the_fetch_to_do(project: Project, tmp_path: Path) -> None:
    project.commit("one", a="x = 1\n")
    head = project.commit("two", a="x = 2\n")
    copy = tmp_path / "copy"
    project.git("clone", "-q", "--depth=1", f"file://{project.root}", str(copy))
    with pytest.raises(SurroundingsError) as caught:
        learned(copy, head, tmp_path)
    assert caught.value.slug == "history-shallow"
    assert "--unshallow" in str(caught.value)


def test_odd_names_binary_files_and_odd_bytes_are_taken(project: Project) -> None:
    project.write('we "ird\tname.py', "x = 1\n")
    project.write("latin.py", b"name = '\xe9'\r\nother = 1\r\n")
    project.write("data.py", b"\0\1\2")
    project.commit("start\n\nbody with a \x1f in it")
    project.write("latin.py", b"name = '\xe8'\r\nother = 1\r\n")
    project.write("data.py", b"\0\1\3")
    project.commit("Fix name")
    walk = walk_of(project)
    assert len(walk.rows) == 2
    assert len(walk.faulty) == 1
