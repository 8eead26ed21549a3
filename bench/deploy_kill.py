"""The kill matrix: a runner dies at every boundary of its journal, under load.

    python bench/deploy_kill.py --strategy blue-green            # every boundary of one strategy
    python bench/deploy_kill.py --strategy all --every 3         # every third of all
    python bench/deploy_kill.py --events [--restart-engine CMD]  # proxy, container, disk, engine

Needs a Docker engine and HAProxy. For each boundary the runner ends itself with SIGKILL just
before, or just after, that write of the journal; then `resume` and `rollback` in turn take over.
A cell is good when afterwards one version answers, the journal is closed, no container is too
many, and no request was lost. `back` kills the rollback itself, which resume has to finish.
"""

from __future__ import annotations

import argparse
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

from deploy_load import Load
from deploy_shop import IMAGE, Shop, build_images, docker, project

STRATEGIES = ("rolling", "blue-green", "canary", "hotfix")
SIDES = ("before", "after")


def runner(boundary: int, side: str, words: list[str]) -> int:
    """Run a release command that dies at a boundary; prints how many it passed."""
    from aipipe_deploy.cli import main
    from aipipe_deploy.journal.journal import Journal

    original = Journal._transaction
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

    Journal._transaction = transaction  # type: ignore[method-assign]
    code = main(words)
    print(f"boundaries {passed}", file=sys.stderr)
    return code


class Matrix:
    """Cells of one project."""

    def __init__(self, shop: Shop, rate: float) -> None:
        self.shop, self.rate = shop, rate
        self.version = "1"
        self.cells: list[dict[str, Any]] = []

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
        """Start the users."""
        load = Load(self.shop.url, connections=6, rate=self.rate, seconds=240)
        load.start()
        time.sleep(0.3)
        return load

    def boundaries(self, words: list[str], wanted: str) -> int:
        """Carry a command through and count its boundaries; a cell of its own."""
        load = self.load()
        done = self.shop.run(argv=self.killing(0, "none", *words))
        self.judge(load, words[0], "none", [wanted], done.stderr)
        return int(done.stderr.rsplit("boundaries", 1)[1])

    def cell(self, words: list[str], boundary: int, side: str, recover: str) -> None:
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
        self.judge(load, f"{words[0]} {boundary} {side}", recover, versions, said)

    def judge(
        self, load: Load, name: str, recover: str, versions: list[str], said: str, **more: Any
    ) -> None:
        """End the load and write the cell down."""
        time.sleep(0.3)
        settled = time.time()
        time.sleep(0.7)
        load.end()
        result = load.result()
        late = {word for at, _, word in load.answers() if at > settled}
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
        good = "ok  " if not problems and not result["lost"] else "FAIL"
        print(f"{good} {name:24} {recover:9} at {self.version}  sent {result['sent']:5}"
              f"  lost {result['lost']}  slowest {result['slowest_ms']} ms"
              f"{'  reconnected ' + str(result['reconnected']) if result['reconnected'] else ''}"
              f"{'  ' + str(result['reasons']) if result['lost'] else ''}"
              f"{'  ' + '; '.join(problems) + ' | ' + said[-400:] if problems else ''}",
              flush=True)  # fmt: skip


def strategy_matrix(matrix: Matrix, strategy: str, every: int, start: int) -> None:
    """All boundaries of one strategy."""
    if strategy == "back":
        back_matrix(matrix, every, start)
        return
    count = matrix.boundaries(matrix.up(strategy), matrix.other())
    print(f"{strategy}: {count} boundaries", flush=True)
    turn = 0
    for boundary in range(1 + start, count + 1, every):
        for side in SIDES:
            recover = ("resume", "rollback")[turn // 2 % 2 ^ turn % 2]
            matrix.cell(matrix.up(strategy), boundary, side, recover)
            turn += 1


def back_matrix(matrix: Matrix, every: int, start: int) -> None:
    """All boundaries of a rollback by hand, each finished by resume."""
    matrix.boundaries(matrix.up("hotfix"), matrix.other())
    count = matrix.boundaries(["rollback"], matrix.other())
    print(f"back: {count} boundaries", flush=True)
    for boundary in range(1 + start, count + 1, every):
        for side in SIDES:
            matrix.boundaries(matrix.up("hotfix"), matrix.other())
            matrix.cell(["rollback"], boundary, side, "resume")
            if matrix.version not in ("1", "2"):
                return


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


def main() -> int:
    if sys.argv[1:2] == ["--runner"]:
        return runner(int(sys.argv[2]), sys.argv[3], sys.argv[5:])
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--strategy", choices=(*STRATEGIES, "back", "all"))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--events", action="store_true")
    parser.add_argument("--restart-engine", default="")
    parser.add_argument("--json", help="write all cells to this file")
    options = parser.parse_args()
    build_images()
    wanted = (*STRATEGIES, "back") if options.strategy == "all" else (options.strategy,)
    with project(f"kill{os.getpid() % 1000}", replicas=options.replicas) as shop:
        matrix = Matrix(shop, options.rate)
        matrix.first()
        for strategy in wanted if options.strategy else ():
            strategy_matrix(matrix, strategy, options.every, options.start)
        if options.events:
            events(matrix, options.restart_engine)
    sent = sum(cell["sent"] for cell in matrix.cells)
    lost = sum(cell["lost"] for cell in matrix.cells)
    bad = [cell for cell in matrix.cells if cell["problems"] or cell["lost"]]
    print(f"{len(matrix.cells)} cells, {len(bad)} bad; {sent} requests sent, {lost} lost")
    if options.json:
        Path(options.json).write_text(json.dumps(matrix.cells), encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
