"""The kill matrix: a runner dies at every boundary of its journal, under load.

    python bench/deploy_kill.py --strategy blue-green            # every boundary of one strategy
    python bench/deploy_kill.py --strategy all --every 3         # every third of all
    python bench/deploy_kill.py --strategy all --json cells.json --minutes 8   # again: goes on
    python bench/deploy_kill.py --events [--restart-engine CMD]  # proxy, container, engine
    python bench/deploy_kill.py --disk-full                      # as root: on a file system of 2 MB

Needs a Docker engine and HAProxy. For each boundary the runner ends itself with SIGKILL just
before, or just after, that write of the journal; then `resume` and `rollback` in turn take over.
A cell is good when afterwards one version answers, the journal is closed, no container is too
many, and no request was lost. `back` kills the rollback itself, which resume has to finish.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from deploy_load import Load  # noqa: E402 - a script beside this one
from deploy_shop import IMAGE, Shop, build_images, docker, project  # noqa: E402 - likewise

STRATEGIES = ("rolling", "blue-green", "canary", "hotfix")
SIDES = ("before", "after")


def runner(boundary: int, side: str, words: list[str]) -> int:
    """Run a release command that dies at a boundary; prints how many it passed."""
    from aipipe_deploy.cli import main
    from aipipe_deploy.journal.journal import Journal

    original = Journal._transaction  # noqa: SLF001 - where every write of the journal passes
    passed = 0

    def transaction(self: Any, statements: Any, *, fenced: bool) -> int:
        nonlocal passed
        if not fenced:
            return original(self, statements, fenced=fenced)
        passed += 1
        if passed == boundary and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        changed = original(self, statements, fenced=fenced)
        if passed == boundary and side == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return changed

    Journal._transaction = transaction  # type: ignore[method-assign]  # noqa: SLF001 - likewise
    code = main(words)
    print(f"boundaries {passed}", file=sys.stderr)
    return code


class Matrix:
    """Cells of one project."""

    def __init__(self, shop: Shop, rate: float, kept: Path | None, minutes: float) -> None:
        self.shop, self.rate, self.kept = shop, rate, kept
        self.version = "1"
        self.cells: list[dict[str, Any]] = []
        if kept and kept.exists():
            self.cells = json.loads(kept.read_text(encoding="utf-8"))
        self.done = {cell["cell"] for cell in self.cells}
        self.end = time.monotonic() + 60 * minutes

    def first(self) -> None:
        """Release version 1 on an empty host."""
        done = self.shop.run("up")
        assert done.returncode == 0, done.stderr

    def other(self) -> str:
        """The version that does not serve."""
        return "2" if self.version == "1" else "1"

    def killing(self, boundary: int, side: str, *words: str) -> list[str]:
        """Argv of a runner that dies."""
        command, *rest = words
        return [sys.executable, __file__, "--runner", str(boundary), side, "--", command,
                "--root", str(self.shop.folder), *rest]  # fmt: skip

    def up(self, strategy: str) -> list[str]:
        """Words of the release of the other version."""
        return ["up", "--strategy", strategy, "--image", f"web={IMAGE}:{self.other()}"]

    def load(self) -> Load:
        """Start the users; return when each has a kept connection.

        A first request that is under way when the proxy itself is killed cannot be asked again.
        """
        load = Load(self.shop.url, connections=6, rate=self.rate, seconds=240)
        load.start()
        end = time.monotonic() + 30
        while not load.is_answered() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        return load

    def boundaries(self, name: str, words: list[str], wanted: str) -> int:
        """Carry a command through and count its boundaries; a cell of its own."""
        load = self.load()
        done = self.shop.run(argv=self.killing(0, "none", *words))
        self.judge(load, f"{name} whole", "none", [wanted], done.stderr)
        return int(done.stderr.rsplit("boundaries", 1)[1])

    def wanted(self, strategy: str, boundary: int, side: str) -> bool:
        """Tell whether a cell is still to be done, and whether there is time for it."""
        return f"{strategy} {boundary} {side}" not in self.done and time.monotonic() < self.end

    def cell(self, strategy: str, words: list[str], boundary: int, side: str, recover: str) -> None:
        """Kill at one boundary, recover, look."""
        versions = [self.version, self.other()]
        load = self.load()
        killed = self.shop.run(argv=self.killing(boundary, side, *words))
        if killed.returncode != -signal.SIGKILL:
            load.end()
            load.result()
            print(f"boundary {boundary} {side}: not killed: {killed.stderr[-300:]}")
            return
        done = self.shop.run(recover)
        said = (done.stdout + done.stderr).strip()
        closed = "nothing-open" in said or "nothing-to-undo" in said
        if done.returncode and not closed:
            said = f"exit {done.returncode}: {said}"
        self.judge(load, f"{strategy} {boundary} {side}", recover, versions, said)

    def judge(
        self, load: Load, name: str, recover: str, versions: list[str], said: str, **more: Any
    ) -> None:
        """End the load and write the cell down."""
        time.sleep(0.3)
        settled = time.time()
        time.sleep(0.7)
        load.end()
        result = load.result()
        late = {word for at, _, word, _ in load.answers() if at > settled}
        status = json.loads(self.shop.run("status", "--json").stdout)
        problems = list(status["problems"])
        if len(late) != 1 or not late <= set(versions):
            problems.append(f"answers of {sorted(late)}")
        running = docker("ps", "--format", "{{.Names}}", "--filter",
                         f"label=dev.aipipe.project={self.shop.name}").split()  # fmt: skip
        if len(running) != self.shop.replicas:
            problems.append(f"containers {running}")
        if len(late) == 1:
            (self.version,) = late
        cell = {"cell": name, "then": recover, "version": self.version, **result,
                "problems": problems, **more}  # fmt: skip
        self.cells.append(cell)
        if self.kept:
            self.kept.write_text(json.dumps(self.cells), encoding="utf-8")
        good = "ok  " if not problems and not result["lost"] else "FAIL"
        print(f"{good} {name:24} {recover:9} at {self.version}  sent {result['sent']:5}"
              f"  lost {result['lost']}  slowest {result['slowest_ms']} ms"
              f"{'  reconnected ' + str(result['reconnected']) if result['reconnected'] else ''}"
              f"{'  ' + str(result['reasons']) if result['lost'] else ''}"
              f"{'  ' + '; '.join(problems) + ' | ' + said[-400:] if problems else ''}",
              flush=True)  # fmt: skip


def strategy_matrix(matrix: Matrix, strategy: str, every: int) -> None:
    """All boundaries of one strategy."""
    if strategy == "back":
        back_matrix(matrix, every)
        return
    count = matrix.boundaries(strategy, matrix.up(strategy), matrix.other())
    print(f"{strategy}: {count} boundaries", flush=True)
    for boundary in range(1, count + 1, every):
        for turn, side in enumerate(SIDES):
            if matrix.wanted(strategy, boundary, side):
                recover = ("resume", "rollback")[(boundary + turn) % 2]
                matrix.cell(strategy, matrix.up(strategy), boundary, side, recover)


def back_matrix(matrix: Matrix, every: int) -> None:
    """All boundaries of a rollback by hand, each finished by resume."""
    matrix.boundaries("back: before", matrix.up("hotfix"), matrix.other())
    count = matrix.boundaries("back", ["rollback"], matrix.other())
    print(f"back: {count} boundaries", flush=True)
    for boundary in range(1, count + 1, every):
        for side in SIDES:
            if matrix.wanted("back", boundary, side):
                matrix.boundaries("back: before", matrix.up("hotfix"), matrix.other())
                matrix.cell("back", ["rollback"], boundary, side, "resume")


def events(matrix: Matrix, restart_engine: str) -> None:
    """What else may happen while a release is being watched."""
    name = matrix.shop.name

    def proxy() -> None:
        from aipipe_deploy.proxy import Runtime

        os.kill(Runtime(matrix.shop.state / "haproxy.sock").process(), signal.SIGKILL)

    def container(version: str) -> None:
        listed = docker("ps", "--format", '{{.Names}}\t{{.Label "dev.aipipe.unit"}}', "--filter",
                        f"label=dev.aipipe.project={name}").splitlines()  # fmt: skip
        names = sorted((int(row.split("-r")[-1]), row.split("\t")[0]) for row in listed)
        docker("kill", names[-1 if version == "new" else 0][1])

    acts: dict[str, Any] = {
        "proxy killed": proxy,
        "new container killed": lambda: container("new"),
        "old container killed": lambda: container("old"),
    }
    if restart_engine:
        acts["engine restarted"] = lambda: subprocess.run(shlex.split(restart_engine), check=True)
    for label, act in acts.items():
        versions = [matrix.version, matrix.other()]
        load = matrix.load()
        words = [*matrix.up("blue-green"), "--watch", "6"]
        child = subprocess.Popen(matrix.shop.argv(*words), stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True,
                                 env={**os.environ, "PYTHONPATH": sys.path[0]})  # fmt: skip
        assert child.stdout
        said = []
        for line in child.stdout:
            said.append(line)
            if "watch 6" in line:
                time.sleep(0.5)
                act()
        child.wait()
        if json.loads(matrix.shop.run("status", "--json").stdout)["problems"]:
            done = matrix.shop.run("resume")
            said += [done.stdout, done.stderr]
        matrix.judge(load, label, "-", versions, "".join(said))
        if "killed" in label and "old" in label:
            print("".join(said[-3:]))


def disk_full(rate: float) -> list[dict[str, Any]]:
    """Fill the state's file system in the watch, and before a release; then free it again."""
    cells = []
    with project(f"full{os.getpid() % 1000}") as shop:
        shop.state.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(shop.state)]
        subprocess.run(mount, check=True)
        filler = shop.state / "filler"
        try:
            matrix = Matrix(shop, rate, None, 60)
            matrix.first()
            for label, seconds in (("disk full in the watch", "4"), ("disk full for good", "4")):
                versions = [matrix.version, matrix.other()]
                load = matrix.load()
                words = [*matrix.up("blue-green"), "--watch", seconds]
                child = subprocess.Popen(
                    shop.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                    env={**os.environ, "PYTHONPATH": sys.path[0]},
                )  # fmt: skip
                assert child.stdout
                said = []
                for line in child.stdout:
                    said.append(line)
                    if "watch" in line:
                        fill(filler)
                        if "for good" in label:
                            (shop.state / "ballast").unlink()
                            fill(filler)
                child.wait()
                print("".join(said[-1:]).strip())
                again = shop.run("up", "--again")
                print((again.stdout + again.stderr).strip().splitlines()[-1])
                filler.unlink()
                done = shop.run("resume")
                matrix.judge(load, label, "resume", versions, "".join(said) + done.stderr)
            cells = matrix.cells
        finally:
            shop.end()
            subprocess.run(["umount", "--lazy", str(shop.state)], check=False)
    return cells


def fill(path: Path) -> None:
    """Write until there is no room."""
    with contextlib.suppress(OSError), path.open("ab", buffering=0) as out:
        while True:
            out.write(b"x" * 512)


def main() -> int:
    if sys.argv[1:2] == ["--runner"]:
        return runner(int(sys.argv[2]), sys.argv[3], sys.argv[5:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--strategy", choices=(*STRATEGIES, "back", "all"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--restart-engine", default="")
    parser.add_argument("--json", help="keep the cells in this file, and go on from it")
    parser.add_argument("--disk-full", action="store_true")
    options = parser.parse_args()
    build_images()
    if options.disk_full:
        return int(any(cell["problems"] or cell["lost"] for cell in disk_full(options.rate)))
    wanted = (*STRATEGIES, "back") if options.strategy == "all" else (options.strategy,)
    with project(f"kill{os.getpid() % 1000}", replicas=options.replicas) as shop:
        kept = Path(options.json) if options.json else None
        matrix = Matrix(shop, options.rate, kept, options.minutes)
        matrix.first()
        for strategy in wanted if options.strategy else ():
            strategy_matrix(matrix, strategy, options.every)
        if options.events:
            events(matrix, options.restart_engine)
    sent = sum(cell["sent"] for cell in matrix.cells)
    lost = sum(cell["lost"] for cell in matrix.cells)
    bad = [cell for cell in matrix.cells if cell["problems"] or cell["lost"]]
    print(f"{len(matrix.cells)} cells, {len(bad)} bad; {sent} requests sent, {lost} lost")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
