from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.errors import RequestError
from aipipe_deploy.cli import main
from aipipe_deploy.judge import JudgeSettings
from aipipe_deploy.replay import replay, replay_in_parallel

if TYPE_CHECKING:
    from pathlib import Path


def _header(name: str = "w1", **more: Any) -> str:
    return json.dumps({"window": name, **more})


def _tick(t: float, old: tuple[int, int] = (45, 0), new: tuple[int, int] = (5, 0)) -> str:
    return json.dumps(
        {
            "t": t,
            "old": {"requests": old[0], "bad": old[1]},
            "new": {"requests": new[0], "bad": new[1]},
        }
    )


def _window(name: str, *, bad: int = 0, ticks: int = 600) -> list[str]:
    return [_header(name, dispersion=1.0), *(_tick(i + 1.0, new=(5, bad)) for i in range(ticks))]


def test_windows_are_judged_in_their_order() -> None:
    lines = _window("calm") + _window("bad", bad=1) + _window("short", ticks=3)
    verdicts = [v.as_json() for v in replay(lines)]
    assert [(v["window"], v["verdict"]) for v in verdicts] == [
        ("calm", "pass"),
        ("bad", "fail"),
        ("short", "inconclusive"),
    ]
    assert verdicts[2]["wants_probes"]
    assert set(verdicts[1]) == {"window", "verdict", "t", "reason"}


def test_nothing_in_is_nothing_out() -> None:
    assert list(replay([])) == []
    assert list(replay_in_parallel([], jobs=2)) == []


def test_blank_lines_and_leading_spaces_are_passed_over() -> None:
    lines = ["\n", "  " + _header() + "\n", "   \n", "\t" + _tick(1.0) + "  \n"]
    assert [v.window for v in replay(lines)] == ["w1"]


@pytest.mark.parametrize("line", ["{", "nonsense", '{"t": 1} {"t": 2}', "[" * 100_000])
def test_a_line_that_is_no_json_is_named(line: str) -> None:
    with pytest.raises(RequestError, match=r"line 2") as caught:
        list(replay([_header(), line]))
    assert caught.value.slug == "replay-line"


@pytest.mark.parametrize("line", ["[1, 2]", "3", '"window"', "null"])
def test_a_line_that_is_no_object_is_named(line: str) -> None:
    with pytest.raises(RequestError, match="no JSON object"):
        list(replay([_header(), line]))


def test_a_tick_before_the_first_window_is_refused() -> None:
    with pytest.raises(RequestError) as caught:
        list(replay([_tick(1.0)]))
    assert caught.value.slug == "replay-no-window"


@pytest.mark.parametrize(
    "broken",
    [
        '{"t": 1.0}',
        '{"t": 1.0, "old": null, "new": {}}',
        '{"t": "1", "old": {"requests": 1, "bad": 0}, "new": {"requests": 1, "bad": 0}}',
        '{"t": 1.0, "old": {"requests": "many", "bad": 0}, "new": {"requests": 1, "bad": 0}}',
        '{"t": NaN, "old": {"requests": 1, "bad": 0}, "new": {"requests": 1, "bad": 0}}',
        '{"t": 1.0, "old": {"requests": NaN, "bad": 0}, "new": {"requests": 1, "bad": 0}}',
        '{"t": 1.0, "old": {"requests": 1, "bad": 0}, "new": {"requests": 1, "bad": 0, "slow": {}}}',
        '{"t": 1%s, "old": {"requests": 1, "bad": 0}, "new": {"requests": 1, "bad": 0}}'
        % ("0" * 400),
        '{"t": 1, "old": {"requests": 1%s, "bad": 0}, "new": {"requests": 1, "bad": 0}}'
        % ("0" * 400),
        '{"t": 1, "old": [], "new": []}',
    ],
)
def test_broken_ticks_are_findings_of_their_window_alone(broken: str) -> None:
    lines = [_header("broken"), *([broken] * 20), *_window("calm")]
    first, second = (v.as_json() for v in replay(lines))
    assert first["verdict"] == "inconclusive"
    assert first["findings"][0].endswith("20 times")
    assert second["verdict"] == "pass"


@pytest.mark.parametrize(
    "header",
    [
        '{"window": "w", "dispersion": "high"}',
        '{"window": "w", "dispersion": NaN}',
        '{"window": "w", "seconds": true}',
    ],
)
def test_a_header_that_cannot_be_used_is_named_with_its_line(header: str) -> None:
    with pytest.raises(RequestError, match="line 1"):
        list(replay([header]))


def test_a_header_may_set_length_and_warm_up_and_leave_dispersion_unknown() -> None:
    lines = [_header("w", seconds=120, warmup=10, dispersion=None)]
    lines += [_tick(i + 1.0) for i in range(300)]
    (verdict,) = replay(lines, settings=JudgeSettings(margin=0.1))
    assert verdict.verdict.t == 60.0


def test_a_crash_in_the_recording_fails_the_window() -> None:
    tick = json.loads(_tick(1.0)) | {"crash": "the container died"}
    (verdict,) = replay([_header(), json.dumps(tick)])
    assert verdict.as_json() == {
        "window": "w1",
        "verdict": "fail",
        "t": 1.0,
        "reason": "the container died",
    }


def test_many_processes_say_the_same_as_one_and_in_the_same_order() -> None:
    lines = [line for i in range(50) for line in _window(f"w{i}", bad=i % 2)]
    assert list(replay_in_parallel(lines, jobs=2)) == list(replay(lines))


def test_many_processes_name_the_right_line_and_keep_the_verdicts_before_it() -> None:
    lines = [line for i in range(50) for line in _window(f"w{i}")]
    lines.insert(27_700, "broken")  # in the first half of its window: later lines are passed over
    seen: list[str] = []
    with pytest.raises(RequestError, match="line 27701"):
        seen.extend(v.window for v in replay_in_parallel(lines, jobs=2))


def test_the_command_prints_a_line_of_json_for_each_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "traffic.jsonl"
    file.write_text("\n".join(_window("calm") + _window("bad", bad=1)) + "\n")
    assert main(["replay", str(file), "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [p["verdict"] for p in printed] == ["pass", "fail"]


def test_the_command_reads_standard_input_and_speaks_plainly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(_window("calm"))))
    assert main(["replay", "-"]) == 0
    assert capsys.readouterr().out.startswith("calm: pass at 300 s, ")


@pytest.mark.parametrize(
    ("content", "slug"),
    [(None, "replay-file"), (b"\xff\xfe{", "replay-encoding"), (b"{", "replay-line")],
)
def test_a_recording_that_cannot_be_read_is_one_message_and_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, slug: str
) -> None:
    file = tmp_path / "traffic.jsonl"
    if content is not None:
        file.write_bytes(content)
    assert main(["replay", str(file)]) == 2
    captured = capsys.readouterr()
    assert f"[{slug}]" in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_setting_out_of_range_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "-", "--alpha", "7"]) == 2
    assert "[judge-setting]" in capsys.readouterr().err
