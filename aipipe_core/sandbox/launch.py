# pathlib costs start-up time.
# ruff: noqa: PTH110, PTH116, PTH123, PTH208
"""Starts inside the sandbox, sets the limits, starts the program and keeps watch over it.

Run as a program with a plan (JSON) and an argv; the plan's keys are those of ``launcher``
in ``aipipe_core.sandbox.launcher``. Loads nothing of ours but ``kernel``. Exits as the
program did, with 128 + N after signal N, 124 at the wall limit, 125 where the sandbox
could not be made, 126 and 127 as a shell does.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import signal
import sys
import time
from typing import Any, NoReturn

_TICK = 0.01
_RELAY_TICK = 0.1
_AWAITED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_TIMED_OUT, _FAILED, _NOT_EXECUTABLE, _NOT_FOUND = 124, 125, 126, 127
_NICENESS = 5  # the launcher must get its turn while a fork bomb goes off
_OVERHEAD = 2  # the launcher itself and the namespace's first process
_PER_NAMESPACE_COUNT = (5, 14)  # the Linux that began to count processes for each namespace


def main() -> NoReturn:
    """Do what the command line says."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    argv = sys.argv[2:]
    try:
        if plan.get("namespaces"):
            _enter_namespaces(plan)
        status = _supervise(plan, argv)
    except OSError as error:
        _fail(error)
    os._exit(status)


def _fail(error: OSError) -> NoReturn:
    _say(f"could not be made: {error}")
    os._exit(_FAILED)


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"aipipe sandbox: {text}\n".encode(errors="replace"))


def _enter_namespaces(plan: dict[str, Any]) -> None:
    """Return within new namespaces; where they have processes of their own, a parent relays."""
    from aipipe_core.sandbox import kernel

    names: list[str] = plan["namespaces"]
    kernel.unshare(names)
    if "net" in names:
        kernel.raise_loopback()
    if "pid" in names:
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        parent, child = os.getppid(), os.fork()
        if child:
            _close_all()
            os._exit(_relay(child, parent))
        kernel.die_with_parent(signal.SIGKILL)
    if "mount" in names:
        _lay_mounts(plan["mounts"], plan["limits"]["file_size"])
        if "pid" in names:
            kernel.mount_proc()
    os.chdir(plan["cwd"])


def _relay(child: int, parent: int) -> int:
    """Wait for the namespace's first process; all of them fall with it."""
    while True:
        got = _wait_signal(_RELAY_TICK)
        if got not in {None, signal.SIGCHLD} or os.getppid() != parent:
            os.kill(child, signal.SIGKILL)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return _exit_code(status)


def _lay_mounts(mounts: list[tuple[str, str]], size: int | None) -> None:
    from aipipe_core.sandbox import kernel

    covering = [path for path, place in mounts if place in {"hidden", "scratch"}]
    covered = {
        path: os.open(path, os.O_PATH)
        for path, place in mounts
        if place in {"readable", "writable"} and any(_below(path, top) for top in covering)
    }
    kernel.make_mounts_private()
    for path, place in mounts:
        if place in {"hidden", "scratch"}:
            if os.path.exists(path):  # else something above hides it already
                kernel.mount_empty(path, size)
        elif path in covered:
            kernel.mount_again(covered[path], path, read_only=place == "readable")
    for handle in covered.values():
        os.close(handle)


def _below(path: str, top: str) -> bool:
    return path.startswith(top.rstrip("/") + "/")


def _supervise(plan: dict[str, Any], argv: list[str]) -> int:
    """Start the program and wait; end its whole tree at a limit, at a signal, at its end."""
    with contextlib.suppress(OSError, ImportError, AttributeError):
        from aipipe_core.sandbox import kernel

        kernel.adopt_orphans()
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    parent, limits = os.getppid(), plan["limits"]
    end = time.monotonic() + (limits["seconds"] or float("inf"))
    _keep_precedence()
    child = os.fork()
    if not child:
        _become(plan, argv)
    _close_all()
    watch = _Watch(plan, child)
    while True:
        got = _wait_signal(_TICK)
        status = _reap(child)
        if status is not None:
            watch.leader = None  # its number may be another's from here on
            watch.kill_all()
            return _exit_code(status)
        if got in {signal.SIGTERM, signal.SIGINT, signal.SIGHUP} or os.getppid() != parent:
            watch.kill_all()
            return 128 + (got or signal.SIGTERM)
        if time.monotonic() > end:
            _say(f"ended after {limits['seconds']:g} seconds")
            watch.kill_all()
            return _TIMED_OUT
        if excess := watch.excess():
            _say(f"ended: {excess}")
            watch.kill_all()
            return 128 + signal.SIGKILL


def _keep_precedence() -> None:
    """Take precedence, as far as the user may, or keep that which it was started with.

    What it starts has none. The kernel holds every user but root to a number of processes; root
    has only the watch, and a fork bomb doubles while the watch waits for a processor.
    """
    with contextlib.suppress(OSError, AttributeError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -15)


def _wait_signal(seconds: float) -> int | None:
    if not hasattr(signal, "sigtimedwait"):  # macOS
        time.sleep(seconds)
        pending = signal.sigpending() & _AWAITED
        return signal.sigwait(pending) if pending else None
    got = signal.sigtimedwait(_AWAITED, seconds)
    return got.si_signo if got else None


def _reap(child: int) -> int | None:
    """Reap whatever ended; return the program's own status once it has."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return found
            if pid == child:
                found = status
    return found


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _close_all() -> None:
    """Let go of the program's descriptors: who reads them waits for the program, not for us."""
    os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65536))
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)


class _Watch:
    """Counts and ends the processes of the tree."""

    def __init__(self, plan: dict[str, Any], leader: int) -> None:
        self.leader: int | None = leader
        self.own = bool(plan.get("own_processes"))
        self.processes: int | None = plan["limits"]["processes"]
        self.memory: int | None = plan["limits"]["memory"]
        self.page = os.sysconf("SC_PAGE_SIZE")

    def members(self) -> list[int]:
        if self.own:
            return [int(name) for name in os.listdir("/proc") if name.isdigit()]
        found, queue = [], _children(os.getpid())
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue.extend(_children(pid))
        return found

    def excess(self) -> str:
        """Return which limit the whole tree broke, or nothing."""
        members = self.members()
        if self.processes is not None and len(members) > self.processes + _OVERHEAD:
            return f"more than {self.processes} processes"
        if self.memory is not None:
            used = sum(map(_private_pages, members)) * self.page
            if used > 2 * self.memory:
                return f"more than {2 * self.memory} bytes of memory in all processes"
        return ""

    def kill_all(self) -> None:
        """End the tree. In a namespace of its own that is one call, elsewhere rounds.

        The program's own group falls first, in one call that no fork escapes: a fork bomb made
        as many again while the rounds went through them one by one. The rounds are for those
        that left the group.
        """
        if self.own:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            return
        if self.leader is not None:
            with contextlib.suppress(OSError):
                os.killpg(self.leader, signal.SIGKILL)
        for _ in range(200):
            members = self.members()
            if not members:
                return
            for pid in members:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            _reap(-1)
            time.sleep(0.005)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as stream:
                found.extend(map(int, stream.read().split()))
    return found


def _private_pages(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/statm", encoding="ascii") as stream:
            fields = stream.read().split()
        return int(fields[1]) - int(fields[2])
    return 0


def _become(plan: dict[str, Any], argv: list[str]) -> NoReturn:
    try:
        os.setsid()
        os.nice(_NICENESS)
        _set_limits(plan)
        _restrict(plan)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    except (OSError, ValueError) as error:
        _fail(OSError(str(error)))
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - starting the program is the purpose
    except OSError as error:
        _say(f"{argv[0]}: {os.strerror(error.errno or 0)}")
        os._exit(_NOT_FOUND if error.errno == errno.ENOENT else _NOT_EXECUTABLE)


def _restrict(plan: dict[str, Any]) -> None:
    if sys.platform != "linux":
        return
    rules = plan.get("landlock")
    if not rules and not plan.get("refuse_sockets"):
        return  # bubblewrap has done all of this already
    from aipipe_core.sandbox import kernel

    if rules:
        kernel.drop_capabilities()
    kernel.no_new_privileges()
    if rules:
        kernel.landlock(
            rules["read"], rules["list"], rules["write"], network=not rules["refuse_network"]
        )
    if plan.get("refuse_sockets"):
        try:
            kernel.refuse_sockets()
        except OSError:
            if plan["refuse_sockets"] == "require":
                raise


def _set_limits(plan: dict[str, Any]) -> None:
    limits = plan["limits"]
    _limit(resource.RLIMIT_CORE, 0)
    if sys.platform == "linux":  # macOS refuses it
        _limit(resource.RLIMIT_AS, limits["memory"])
    _limit(resource.RLIMIT_FSIZE, limits["file_size"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    if limits["seconds"] is not None:
        # A stopped launcher cannot keep time: the kernel counts too, for each process.
        _limit(resource.RLIMIT_CPU, int(limits["seconds"] * 8) + 2)
    if limits["processes"] is not None:
        taken = _counted_processes(own_user=bool(plan.get("own_user")))
        if taken is not None:
            _limit(resource.RLIMIT_NPROC, taken + limits["processes"] + _OVERHEAD)


def _limit(which: int, value: int | None) -> None:
    if value is None:
        return
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def _counted_processes(*, own_user: bool) -> int | None:
    """Return how many of this user's threads the kernel already counts, ``None`` if unknown."""
    if own_user:
        release = os.uname().release.split(".")
        version = (int(release[0]), int(release[1].split("-")[0]))
        return 0 if version >= _PER_NAMESPACE_COUNT else None
    uid, count = os.getuid(), 0
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                if name.isdigit() and os.stat(f"/proc/{name}").st_uid == uid:
                    count += len(os.listdir(f"/proc/{name}/task"))
        return count
    return None


if __name__ == "__main__":
    main()
