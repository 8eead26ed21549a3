"""The page of a run: what it shows, from a real repository, and that nothing in it can act."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from aipipe.cli import main
from aipipe.page import gather, render_page
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Project

OLD = "def price(n):\n    return 3 * n\n"
NEW = '''\
def price(n):
    """Say what n cost."""
    if n > 9:
        return 2 * n
    if n < 0:
        raise ValueError("<b>negative</b>")
    return 3 * n
'''
PHONE = 390
TEST = "def test_price_many():\n    assert price(10) == 20\n"


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    base = project.commit(price=OLD)
    project.write("price.py", NEW)
    project.write("tests/ai/test_price.py", TEST)
    folder = project.root / ".aipipe" / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "tests.json").write_text(json.dumps(document(base)))
    monkeypatch.chdir(project.root)
    return folder


def document(base: str) -> dict[str, Any]:
    counts = {"total": 5, "before": 3, "after": 4}
    return {
        "schema": 1,
        "base": base,
        "head": "worktree",
        "change": {
            "files": [{"path": "price.py", "kind": "code", "changed_lines": [2, 3, 4, 5, 6, 7]}]
        },
        "selection": {"collected": 1, "selected": 1, "reasons": {}},
        "coverage": {
            "lines": counts,
            "branches": counts,
            "files": {"price.py": {"missing": [6], "missing_branches": [[5, 6]]}},
        },
        "tests": [
            {
                "nodeid": "tests/ai/test_price.py::test_price_many",
                "path": "tests/ai/test_price.py",
                "engine": "local",
                "targets": [{"path": "price.py", "lines": [4]}],
                "status": "admitted",
                "reason": "",
                "mutants": {"total": 3, "killed": 2},
            }
        ],
        "gaps": [
            {
                "path": "price.py",
                "symbol": "price",
                "lines": [6],
                "why": "<script>alert(1)</script>",
                "suggestion": "Call it with -1.",
            }
        ],
        "behavior": [
            {"symbol": "price", "input": "price(10)", "base": "30", "head": "20", "test": ""}
        ],
        "flaky": [],
        "llm": dict.fromkeys(
            ("calls", "input_tokens", "output_tokens", "cached_tokens", "cost_usd"), 0
        ),
        "timing": {},
    }


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def ids(self) -> set[str]:
        return {str(attrs["id"]) for _, attrs in self.seen if "id" in attrs}


def page_of(project: Project, run: Path) -> str:
    return render_page(gather(project.root, run))


def test_each_line_shows_what_the_tests_do_to_it(project: Project, run: Path) -> None:
    (file,) = gather(project.root, run).files
    (hunk,) = file.hunks
    assert [(line.number, line.mark) for line in hunk.lines if line.mark != "context"] == [
        (2, "plain"),
        (3, "covered"),
        (4, "new"),
        (5, "covered"),
        (6, "uncovered"),
    ]
    assert file.counts == {"covered": 2, "new": 1, "uncovered": 1, "added": 5, "removed": 0}


def test_what_no_test_can_run_comes_last_closed_and_claims_no_coverage(
    project: Project, run: Path
) -> None:
    project.write("a.yaml", "one: 1\ntwo: 2\n")
    project.write("a_test.py", "def test_it():\n    assert True\n")
    known = json.loads((run / "tests.json").read_text())
    names = ("a.yaml", "a_test.py")
    rest = [{"path": name, "kind": "code", "changed_lines": [1, 2]} for name in names]
    known["change"]["files"] = [*rest, *known["change"]["files"]]
    (run / "tests.json").write_text(json.dumps(known))
    first, yaml, test = gather(project.root, run).files
    assert (first.path, first.measured) == ("price.py", True)
    assert (yaml.measured, yaml.counts["added"], yaml.counts["covered"]) == (False, 2, 0)
    assert (test.measured, test.counts["covered"]) == (False, 0)
    page = page_of(project, run)
    assert page.count("<details open>") == 1
    assert page.count(", not measured") == 2


def test_a_newly_covered_line_leads_to_its_test(project: Project, run: Path) -> None:
    text = page_of(project, run)
    tags = Tags(text)
    links = {str(attrs["href"])[1:] for tag, attrs in tags.seen if tag == "a"}
    assert "test-1" in links
    assert links <= tags.ids()
    assert "def test_price_many():" in text


def test_a_test_stands_beside_the_lines_that_it_was_written_for(
    project: Project, run: Path
) -> None:
    (test,) = gather(project.root, run).tests
    ((path, (line,)),) = test.reached
    assert (path, line.number, line.text) == ("price.py", 4, "        return 2 * n")
    page = page_of(project, run)
    beside = page.split('<div class="beside">')[1].split("</details>")[0]
    assert "return 2 * n" in beside
    assert "def test_price_many" in beside


def test_a_line_in_which_a_test_only_notices_faults_is_not_newly_covered(
    project: Project, run: Path
) -> None:
    known = json.loads((run / "tests.json").read_text())
    known["tests"][0]["targets"][0].update(lines=[3, 4], new_lines=[4])
    (run / "tests.json").write_text(json.dumps(known))
    (file,) = gather(project.root, run).files
    marks = {line.number: (line.mark, line.tests) for line in file.hunks[0].lines}
    assert marks[3] == ("covered", (1,))
    assert marks[4] == ("new", (1,))


def test_a_written_test_is_shown_though_a_later_session_has_taken_its_file(
    project: Project, run: Path
) -> None:
    (project.root / "tests/ai/test_price.py").unlink()
    assert "Its file is not there any more." in page_of(project, run)
    known = json.loads((run / "tests.json").read_text())
    known["tests"][0]["source"] = TEST
    (run / "tests.json").write_text(json.dumps(known))
    page = page_of(project, run)
    assert "assert price(10) == 20" in page
    assert "not there any more" not in page


def test_nothing_of_the_change_can_act_on_the_page(project: Project, run: Path) -> None:
    text = page_of(project, run)
    tags = Tags(text)
    assert tags.open == []
    assert "script" not in {tag for tag, _ in tags.seen}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "&lt;b&gt;negative&lt;/b&gt;" in text
    policies = [a.get("content") for t, a in tags.seen if a.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    assert not any(attrs.get("src") for _, attrs in tags.seen)


def test_a_run_with_risk_alone_has_no_empty_parts(project: Project, run: Path) -> None:
    (run / "tests.json").unlink()
    assert main(["analyze", "--json", str(run / "risk.json")]) == ExitCode.DONE
    tags = Tags(page_of(project, run))
    assert {"risk", "main"} <= tags.ids()
    assert not {"tests", "gaps", "change", "behaviour"} & tags.ids()


def test_a_change_that_history_has_lost_leaves_the_rest(project: Project, run: Path) -> None:
    lost = document("0" * 40)
    (run / "tests.json").write_text(json.dumps(lost))
    page = gather(project.root, run)
    assert page.files == ()
    assert "price(10)" in render_page(page)


def test_a_file_that_git_does_not_know_yet_is_shown(project: Project, run: Path) -> None:
    known = json.loads((run / "tests.json").read_text())
    known["change"]["files"].append({"path": "new.py", "kind": "code", "changed_lines": [1]})
    (run / "tests.json").write_text(json.dumps(known))
    project.write("new.py", "x = 1\n")
    assert [file.path for file in gather(project.root, run).files] == ["price.py", "new.py"]


def test_a_change_of_many_lines_is_cut_and_says_so(project: Project, run: Path) -> None:
    project.write("price.py", "".join(f"x{n} = {n}\n" for n in range(5_000)))
    (file,) = gather(project.root, run).files
    assert file.left_out
    assert "more lines are not shown" in page_of(project, run)


def test_the_command_writes_the_latest_run(project: Project, run: Path) -> None:
    assert main(["report", "--html", "out.html"]) == ExitCode.DONE
    assert "price(10)" in (project.root / "out.html").read_text()


def test_whatever_scrolls_is_reached_by_the_keyboard_and_has_a_name(
    project: Project, run: Path
) -> None:
    (run / "deploy.json").write_text(json.dumps(released()))
    page = page_of(project, run)
    scrolling = re.findall(r'<(?:pre|div class="(?:scroll|diff)")[^>]*>', page)
    assert len(scrolling) > 4
    assert all('tabindex="0"' in tag for tag in scrolling)
    assert all("aria-label=" in tag for tag in scrolling if tag.startswith("<div"))


@pytest.mark.slow
def test_a_real_browser_shows_it_on_a_phone_without_scrolling_sideways(
    project: Project, run: Path, tmp_path: Path
) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on the PATH")
    known = json.loads((run / "tests.json").read_text())
    known["behavior"][0]["base"] = "a_very_long_name" * 40
    (run / "tests.json").write_text(json.dumps(known))
    # The page forbids scripts; the copy that measures itself does not. It stands in a frame: a
    # window of its own is never as narrow as a phone.
    text = page_of(project, run).replace("default-src 'none'; ", "")
    probe = "<script>parent.postMessage(document.documentElement.scrollWidth, '*')</script></body>"
    (tmp_path / "page.html").write_text(text.replace("</body>", probe))
    (tmp_path / "phone.html").write_text(
        "<title></title><script>onmessage = told => { document.title = told.data }</script>"
        f'<iframe src="page.html" style="width:{PHONE}px;height:800px;border:0"></iframe>'
    )
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=800,900"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=5000", "--dump-dom", f"file://{tmp_path}/phone.html"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    width = int(done.stdout.split("<title>")[1].split("<")[0])
    assert width <= PHONE


def released(**more: Any) -> dict[str, Any]:
    def row(t: float, bad: int) -> dict[str, Any]:
        arms = {"old": {"requests": 50, "bad": 0}, "new": {"requests": 50, "bad": bad}}
        return {"service": "web", "t": t, "seconds": 1.0, **arms}

    def move(kind: str, at: float | None, **also: Any) -> dict[str, Any]:
        state = "planned" if at is None else "done"
        return {
            "move": kind, "kind": kind, "back": False, "state": state, "at": at, "note": "", **also,
        }  # fmt: skip

    return {
        "schema": 1, "release": 2, "state": "rolled-back", "text": "fail after 9 s: <b>it fails",
        "strategy": "canary", "reason": "high risk", "risk": "high", "head": "", "previous": 1,
        "started": 1.0, "seconds": 20.0, "services": {"web": "shop:2"},
        "moves": [move("start", 4.0), move("watch", 14.0), move("sweep", None),
                  move("shift", 15.0, back=True)],
        "metrics": [row(5.0, 0), row(6.0, 25)], **more,
    }  # fmt: skip


def test_a_release_shows_its_moves_in_time_and_what_both_versions_answered(
    project: Project, run: Path
) -> None:
    (run / "deploy.json").write_text(json.dumps(released()))
    release = gather(project.root, run).release
    assert release is not None
    assert [(move.began, move.seconds) for move in release.moves] == [
        (0.0, 4.0), (4.0, 10.0), (None, None), (14.0, 1.0),
    ]  # fmt: skip
    assert (release.moves[1].left, release.moves[1].width) == (20.0, 50.0)
    (chart,) = release.charts
    assert (chart.top, chart.requests, chart.failed) == (0.5, (100, 100), (0, 25))
    assert chart.new.split()[1].endswith(",4.0")
    page = page_of(project, run)
    Tags(page)
    assert "the new one 25 of 100" in page
    assert "&lt;b&gt;it fails" in page
    assert "not made" in page
    assert "rolled back" in page


@pytest.mark.parametrize(
    ("kind", "rows", "spans"),
    [
        ("watch", [5.0, 13.5], [(4.0, 9.5), (13.5, 0.5)]),
        ("watch", [], [(4.0, 10.0), (14.0, 0.0)]),
        ("ready", [13.5], [(4.0, 10.0), (14.0, 0.0)]),
    ],
)
def test_a_move_that_was_broken_off_lasted_until_the_way_back_began(
    project: Project, run: Path, kind: str, rows: list[float], spans: list[tuple[float, float]]
) -> None:
    sent = {"requests": 5, "bad": 0}
    seen = [{"service": "web", "t": t, "seconds": 1.0, "old": sent, "new": sent} for t in rows]
    whole = released(metrics=seen)
    start, watch, sweep, back = whole["moves"]
    broken = {**watch, "kind": kind, "state": "begun", "at": 4.0}
    whole["moves"] = [start, broken, sweep, {**back, "at": 14.0}]
    (run / "deploy.json").write_text(json.dumps(whole))
    release = gather(project.root, run).release
    assert release is not None
    moves = [move for move in release.moves[1:] if move.began is not None]
    assert [(move.began, move.seconds) for move in moves] == spans
    assert moves[0].note == "broken off"


def test_a_build_shows_each_step_with_what_was_said_and_what_was(
    project: Project, run: Path
) -> None:
    step = {"stage": "", "line": 2, "instruction": "RUN <b>make", "verdict": "hit", "cause": "x.py",
            "fact": "ran", "agreement": "false-hit", "seconds": 2.5, "saves_seconds": 0}  # fmt: skip
    image = {
        "name": "shop", "context": ".", "dockerfile": "Dockerfile", "target": "", "builder": "b",
        "platforms": [], "tags": ["shop"], "decision": "cached", "reason": "line 2: x.py changed",
        "predicted_saves_seconds": 0, "predicted_seconds": 0, "result": "built", "image": "sha",
        "seconds": 3, "saves_seconds": 2, "recorded": True, "steps": [step], "defects": [],
        "warnings": ["<i>odd"], "error": "",
    }  # fmt: skip
    build = {"schema": 1, "decision": "cached", "seconds": 3, "saves_seconds": 2, "images": [image]}
    (run / "build.json").write_text(json.dumps(build))
    page = page_of(project, run)
    Tags(page)
    assert "RUN &lt;b&gt;make" in page
    assert '<td class="w high">ran</td><td class="n">2.5 s</td>' in page
    assert "&lt;i&gt;odd" in page
    assert "line 2: x.py changed" in page
    assert "saved 2 s" in page


def test_the_page_of_a_pipeline_says_how_it_and_its_stages_ended(
    project: Project, run: Path
) -> None:
    route = {"tests": "full", "build": "full", "strategy": "rolling", "watch_seconds": 600}
    stages = [
        {"name": name, "state": state, "seconds": 1.0, "attempts": 1}
        for name, state in (("tests", "failed"), ("image", "blocked"))
    ]
    kept = {
        "schema": 1, "id": "one", "pipeline": "shop", "state": "failed", "level": "low", "pid": 1,
        "started": "2026-01-02T00:00:00+00:00", "seconds": 2.0, "base": "", "head": "",
        "route": route, "stages": stages,
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(kept))
    page = page_of(project, run)
    assert "Outcome: <code>failed (tests failed, image blocked)</code>" in page


def test_flaky_tests_are_led_to(project: Project, run: Path) -> None:
    one = {
        "nodeid": "t::a",
        "runs": 3,
        "failures": 1,
        "cause": "unknown",
        "evidence": "",
        "fix": "",
    }
    known = json.loads((run / "tests.json").read_text())
    (run / "tests.json").write_text(json.dumps({**known, "flaky": [one]}))
    page = page_of(project, run)
    assert '<a href="#flaky">' in page
    assert '<td class="w">unknown</td>' in page
    assert "flaky" in Tags(page).ids()


def test_a_release_of_nothing_says_so(project: Project, run: Path) -> None:
    (run / "deploy.json").write_text(json.dumps({"schema": 1, "state": "unchanged"}))
    assert "nothing was released" in page_of(project, run)


def test_a_watch_without_traffic_is_drawn_as_nothing(project: Project, run: Path) -> None:
    row = {"service": "web", "t": 1.0, "seconds": 1.0,
           "old": {"requests": 0, "bad": 0}, "new": {"requests": 0, "bad": 0}}  # fmt: skip
    (run / "deploy.json").write_text(json.dumps(released(metrics=[row])))
    release = gather(project.root, run).release
    assert release is not None
    assert (release.charts[0].old, release.charts[0].new) == ("", "")


def test_the_calibration_curve_stands_beside_the_risk(project: Project, run: Path) -> None:
    from aipipe.calibrate.kept import Kept, save
    from aipipe.calibrate.model import RiskModel
    from aipipe.calibrate.scorecard import prior

    main(["analyze", "--json", str(run / "risk.json")])
    assert "How far these probabilities" not in page_of(project, run)
    kept = Kept(RiskModel(prior()), "a", "2026-01-02T00:00:00+00:00", levels={"medium": 0.1, "high": 0.2},
                curve=[(0.1, 0.12, 40), (0.3, 0.28, 40)])  # fmt: skip
    save(kept, project.root / ".aipipe" / "past")
    page = page_of(project, run)
    Tags(page)
    assert "30.0% predicted, 28.0% observed of 40" in page
