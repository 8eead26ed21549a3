"""Real processes: ended whole, whatever they do."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from aipipe.run.output import Output
from aipipe.run.process import Ended, run_process
from aipipe.run.survivors import is_alive, kill_marked, marked


class Silent:
    def line(self, stage: str, text: str) -> None: ...


def start(
    tmp_path: Path,
    script: str | list[str],
    *,
    timeout: float = 60,
    grace: float = 0.3,
    stop: threading.Event | None = None,
    mark: str = "",
) -> tuple[Ended, str]:
    output = Output("t", tmp_path / "log", Silent())
    argv = ["/bin/sh", "-ec", script] if isinstance(script, str) else script
    ended = run_process(
        argv,
        folder=tmp_path,
        environment=dict(os.environ),
        mark=mark or f"test:{tmp_path.name}",
        timeout=timeout,
        grace=grace,
        output=output,
        stop=stop or threading.Event(),
    )
    output.close()
    return ended, (tmp_path / "log").read_text()


def gone(tmp_path: Path) -> bool:
    """Whether every process whose number was written to a ``*.pid`` file is no more."""
    for file in tmp_path.glob("*.pid"):
        stat = Path("/proc", file.read_text().strip(), "stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
            return False
    return True


def test_both_outputs_are_kept_in_their_order_and_nothing_can_be_asked(tmp_path: Path) -> None:
    ended, text = start(tmp_path, "echo out; echo err >&2; read x || echo nobody; exit 3")
    assert (ended.code, ended.words) == (3, "exit code 3")
    assert text == "out\nerr\nnobody\n"


def test_a_program_that_is_not_there_ends_as_in_a_shell(tmp_path: Path) -> None:
    ended, text = start(tmp_path, ["no-such-program-at-all"])
    assert ended.code == 127
    assert "cannot be started" in text
    (tmp_path / "plain").touch()
    assert start(tmp_path, [str(tmp_path / "plain")])[0].code == 126


def test_at_its_time_a_command_that_ignores_the_request_is_killed_with_its_children(
    tmp_path: Path,
) -> None:
    script = "trap '' TERM; sleep 60 & echo $! > c.pid; echo $$ > p.pid; echo waiting; sleep 60"
    ended, text = start(tmp_path, script, timeout=0.5)
    assert ended.timed_out
    assert ended.code is None
    assert "ran out of time" in ended.words
    assert text == "waiting\n"
    assert gone(tmp_path)


def test_one_that_left_its_session_is_found_by_its_mark(tmp_path: Path) -> None:
    script = "setsid sh -c 'echo $$ > d.pid; exec sleep 60' & sleep 0.3; echo done"
    ended, text = start(tmp_path, script)
    assert ended.passed
    assert ended.left_behind == 1
    assert text == "done\n"
    assert gone(tmp_path)


def test_what_is_left_behind_cannot_hold_the_output_open(tmp_path: Path) -> None:
    ended, text = start(tmp_path, "sleep 60 & echo $! > b.pid; echo over")
    assert ended.passed
    assert ended.seconds < 30
    assert text == "over\n"
    assert gone(tmp_path)


def test_a_stop_ends_it_and_lets_it_say_its_last_words(tmp_path: Path) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    script = "trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done"
    ended, text = start(tmp_path, script, stop=stop, grace=20)
    timer.join()
    assert ended.stopped
    assert not ended.passed
    assert text.endswith("bye\n")


def test_a_flood_of_output_ends_at_the_time_and_is_bounded(tmp_path: Path) -> None:
    ended, _ = start(tmp_path, "yes", timeout=0.5)
    assert ended.timed_out
    assert (tmp_path / "log").stat().st_size < 10_000_000


def test_a_signal_is_told_by_its_name(tmp_path: Path) -> None:
    assert start(tmp_path, "kill -SEGV $$")[0].words == "killed by SIGSEGV"


def test_what_a_dead_runner_left_is_found_by_the_runs_mark(tmp_path: Path) -> None:
    mark = f"run-{tmp_path.name}"
    done: list[Ended] = []
    thread = threading.Thread(
        target=lambda: done.append(start(tmp_path, "sleep 60", mark=f"{mark}:x")[0])
    )
    thread.start()
    until = time.monotonic() + 20
    while not marked(mark) and time.monotonic() < until:
        time.sleep(0.01)
    assert kill_marked(f"{mark}:") >= 1
    thread.join(20)
    assert done[0].code == -9
    assert not is_alive(2**22 + 1, f"{mark}:")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="marks need /proc")
def test_our_own_process_is_never_among_the_marked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIPELINE_MARK", f"self-{tmp_path.name}")
    assert os.getpid() not in marked(f"self-{tmp_path.name}")
