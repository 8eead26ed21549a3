from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from aipipe_core.errors import RequestError, SurroundingsError
from aipipe_core.sandbox import Limits, Policy, choice, choose
from aipipe_core.sandbox.bubblewrap import Bubblewrap
from aipipe_core.sandbox.guard import Guard, Unconfined, guarded
from aipipe_core.sandbox.landlock import LandlockSandbox
from aipipe_core.sandbox.mounts import Place, mounts


def after(argv: tuple[str, ...], flag: str) -> list[str]:
    return [argv[n + 1] for n, value in enumerate(argv) if value == flag]


def test_bubblewrap_s_argv_says_what_the_policy_says(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "hidden").mkdir()
    policy = Policy(writable=(tmp_path / "out",), hidden=(tmp_path / "hidden",))
    argv = Bubblewrap().wrap(["prog", "-x"], policy, tmp_path).argv
    assert argv[1:6] == (
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    )
    assert "--unshare-net" in argv
    assert after(argv, "--bind") == [str(tmp_path / "out")]
    assert str(tmp_path / "hidden") in after(argv, "--tmpfs")
    assert after(argv, "--chdir") == [str(tmp_path)]
    assert argv[-2:] == ("prog", "-x")


def test_the_network_is_shared_only_when_the_policy_says_so(tmp_path: Path) -> None:
    argv = Bubblewrap().wrap(["prog"], Policy(network=True), tmp_path).argv
    assert "--unshare-net" not in argv


def test_the_deepest_rule_wins(tmp_path: Path) -> None:
    for name in ("a/b/c/d",):
        (tmp_path / name).mkdir(parents=True)
    a, b, c, d = (tmp_path / name for name in ("a", "a/b", "a/b/c", "a/b/c/d"))
    laid = mounts(Policy(hidden=(a, c), readable=(b,), writable=(d,)), ["prog"], a)
    mine = [(path, place) for path, place in laid if path.startswith(str(a))]
    assert mine == [
        (str(a), Place.HIDDEN),
        (str(b), Place.READABLE),
        (str(c), Place.HIDDEN),
        (str(d), Place.WRITABLE),
    ]


def test_a_working_folder_that_can_be_written_to_stays_so(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    laid = mounts(Policy(writable=(tmp_path,)), ["prog"], tmp_path / "work")
    assert str(tmp_path / "work") not in [path for path, _ in laid]


def test_a_virtual_environment_below_a_hidden_folder_stays_visible(tmp_path: Path) -> None:
    python = tmp_path / ".cache" / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    laid = mounts(Policy(hidden=(tmp_path / ".cache",)), [str(python)], tmp_path)
    assert (str(tmp_path / ".cache" / "venv"), Place.READABLE) in laid


def test_a_writable_folder_that_is_missing_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere.*\[sandbox-writable-missing\]"):
        mounts(Policy(writable=(tmp_path / "nowhere",)), ["prog"], tmp_path)


def test_landlock_names_the_siblings_of_what_is_hidden(tmp_path: Path) -> None:
    for name in ("home/.ssh", "home/code", "home/.local/bin"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "home" / "link").symlink_to(tmp_path / "home" / ".ssh")
    command = LandlockSandbox(()).wrap(
        ["prog"], Policy(hidden=(tmp_path / "home" / ".ssh",), readable=(tmp_path,)), tmp_path
    )
    plan = next(json.loads(part) for part in command.argv if part.startswith('{"cwd"'))
    below = [p for p in plan["landlock"]["read"] if p.startswith(str(tmp_path / "home"))]
    assert set(below) == {str(tmp_path / "home" / "code"), str(tmp_path / "home" / ".local")}
    assert plan["refuse_sockets"] == "require"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["python", "-m", "pytest", "-q"], ["python", "HOOK", "{}", "-m", "pytest", "-q"]),
        (["python3.12", "-X", "dev", "-I", "x.py", "-m"], ["python3.12", "-X", "dev", "-I", "HOOK", "{}", "x.py", "-m"]),
        (["/v/bin/python", "-c", "code", "a"], ["/v/bin/python", "HOOK", "{}", "-c", "code", "a"]),
        (["python", "-Wignore", "-W", "error", "s.py"], ["python", "-Wignore", "-W", "error", "HOOK", "{}", "s.py"]),
    ],
)  # fmt: skip
def test_the_guard_stands_between_the_options_and_the_program(
    argv: list[str], expected: list[str]
) -> None:
    made = [
        Path(p).name.replace("hook.py", "HOOK") if "hook.py" in p else p
        for p in guarded(argv, "{}")
    ]
    assert made == expected


def test_off_keeps_the_limits_and_the_environment(tmp_path: Path) -> None:
    policy = Policy(environment={"A": "b"}, limits=Limits(seconds=5))
    command = choose("off").wrap(["prog"], policy, tmp_path)
    assert isinstance(choose("off"), Unconfined)
    assert command.env == {"A": "b"}
    assert command.limits.seconds == 5


def test_require_refuses_where_only_the_guard_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_strongest", lambda: (Guard(), ("bubblewrap: not permitted",)))
    assert choose("auto").name == "guard: best effort"
    with pytest.raises(SurroundingsError, match="bubblewrap: not permitted") as caught:
        choose("require")
    assert caught.value.slug == "sandbox-unavailable"


def test_an_unknown_mode_is_one_clear_error() -> None:
    with pytest.raises(RequestError, match=r"\[sandbox-mode\]"):
        choose("maybe")  # type: ignore[arg-type]


def test_a_sandbox_that_does_not_hold_in_its_trial_is_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weak, strong = Unconfined(name="weak"), LandlockSandbox(())
    monkeypatch.setattr(choice, "candidates", lambda: [weak, strong])
    monkeypatch.setattr(choice, "trial", lambda box: "leaks" if box is weak else "")
    assert choice._strongest.__wrapped__() == (strong, ("weak: leaks",))


def test_the_trial_sees_through_a_sandbox_that_is_none() -> None:
    assert choice.trial(Unconfined()) != ""
