"""The prediction table: cases run against a real builder, step by step.

A case is a Dockerfile, a context and a change to them. It is built, recorded, changed,
predicted, and built again; the prediction is compared with what BuildKit then says.

    python bench/build_cases.py [--only NAME] [--rule N] [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from aipipe_build.engine.client import EngineClient
from aipipe_build.options import make_parser, make_request, parse_options
from aipipe_build.predict.job import Job
from aipipe_build.verify.compare import compare_steps
from aipipe_build.verify.facts import Fact, read_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aipipe_build.predict.model import Prediction

CASES = Path(__file__).parent.parent / "tests" / "integration" / "aipipe_build" / "cases"
BASE = "python:3.11-slim"
SALT = "/.salt"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of a case file."""

    name: str
    rule: int
    dockerfile: str
    files: dict[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    change: dict[str, Any] = field(default_factory=dict)
    before: tuple[dict[str, Any], ...] = ()
    quick: bool = False
    expect: tuple[str, ...] = ()


@dataclass(slots=True)
class Row:
    """One step of a case: predicted and real."""

    case: str
    rule: int
    step: str
    verdict: str
    fact: str
    cause: str = ""

    @property
    def outcome(self) -> str:
        """Right, conditional, abstained, wrong or false hit."""
        if self.fact == "absent" or self.verdict == "absent":
            return "wrong"
        if self.verdict == "unknown":
            return "abstained"
        if self.verdict == "depends":
            return "conditional"
        if (self.verdict == "hit") == (self.fact == "cached"):
            return "right"
        return "false hit" if self.verdict == "hit" else "wrong"


def load_cases(folder: Path = CASES) -> list[Case]:
    """Read all case files, in the order of their names."""
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        for row in yaml.safe_load(path.read_text(encoding="utf-8")):
            lists = {key: tuple(row[key]) for key in ("flags", "before", "expect") if key in row}
            cases.append(Case(**{**row, **lists}))
    return cases


@dataclass(slots=True)
class Bench:
    """A place to run cases in: a folder and base images of its own."""

    folder: Path
    salt: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    images: list[str] = field(default_factory=list)
    _salt_line: str = ""
    _server: Any = None

    def run(self, case: Case) -> list[Row]:
        """Run one case."""
        place = self.folder / case.name
        context = place / "context"
        context.mkdir(parents=True)
        self.serve(place)
        base = self.base(case)
        self._salt_line = "" if base != BASE else f"{case.name} {self.salt}"
        lay_out(context, case.files, place)
        self.write(context, case.dockerfile, base)
        flags = self.flags(case.flags, base, place)
        states = [{}, *case.before]
        for state in states:
            self._apply(context, state, base, place)
            flags = self.flags(state.get("flags", case.flags), base, place)
            self._prepare(state, base)
            facts = build(context, flags, place)
            failed = [fact for fact in facts if fact.error]
            if failed:
                raise RuntimeError(f"{case.name}: the first build failed: {failed[0]}")
            self.job(context, flags, place).record({})
        change = case.change
        self._apply(context, change, base, place)
        self._prepare(change, base)
        after = self.flags(change.get("flags", case.flags), base, place)
        moved = change.get("context")
        if moved:
            shutil.copytree(context, place / moved, symlinks=True)
            context = place / moved
        prediction = self.job(context, after, place).predict()
        return list(compare(case, prediction, build(context, after, place)))

    def job(self, context: Path, flags: list[str], place: Path) -> Job:
        """Open what ``aipipe-build`` would open for these options."""
        parser = make_parser("case", "")
        options = parse_options(parser, [*flags, str(context)])
        request = make_request(options, environ=dict(os.environ))
        return Job.open(request, current=place, engine=EngineClient.from_environment())

    def base(self, case: Case) -> str:
        """Name the case's base image; one that changes images gets its own.

        The others put a step of their own on the common one, so that no case finds another's
        steps in the cache.
        """
        states = [*case.before, case.change]
        if not any(key in state for state in states for key in ("image", "tag")):
            return BASE
        name = f"aipipe-case/{self.salt}:{case.name}"
        self.image(name, f"FROM {BASE}\nCOPY <<EOF /salt\n{name}\nEOF\n")
        return name

    def write(self, context: Path, text: str, base: str) -> None:
        """Write the Dockerfile with the case's own base image in it."""
        text = text.replace("BASE", base)
        if self._server is not None:
            text = text.replace("SERVE", f"http://127.0.0.1:{self._server.server_port}")
        if self._salt_line:
            step = f"\\1\nCOPY <<SALT /.salt\n{self._salt_line}\nSALT"
            text = re.sub(rf"(?m)^(\ufeff?FROM .*{re.escape(base)}[^\n\r]*)$", step, text)
        (context / "Dockerfile").write_bytes(text.encode())

    def image(self, name: str, dockerfile: str) -> None:
        """Build an image from a Dockerfile alone."""
        command = ["docker", "build", "--quiet", "--tag", name, "-"]
        subprocess.run(command, input=dockerfile, text=True, check=True, capture_output=True)
        self.images.append(name)

    def serve(self, place: Path) -> None:
        """Serve ``@served/`` on the loopback address, where SERVE stands in a Dockerfile."""
        import functools
        import http.server
        import threading

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._stop_serving()
        handler = functools.partial(Quiet, directory=str(place / "served"))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _stop_serving(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _prepare(self, state: dict[str, Any], base: str) -> None:
        """Change the images themselves: ``image: {name: Dockerfile}``, ``tag: {new: old}``."""
        for name, dockerfile in state.get("image", {}).items():
            self.image(self._named(name, base), self._named(dockerfile, base))
        for new, old in state.get("tag", {}).items():
            command = ["docker", "tag", self._named(old, base), self._named(new, base)]
            subprocess.run(command, check=True)
            self.images.append(self._named(new, base))

    def _named(self, text: str, base: str) -> str:
        return text.replace("BASE", base)

    def flags(self, flags: Iterable[str], base: str, place: Path) -> list[str]:
        """Fill in names and places."""
        return [flag.replace("BASE", base).replace("PLACE", str(place)) for flag in flags]

    def _apply(self, context: Path, state: dict[str, Any], base: str, place: Path) -> None:
        lay_out(context, state.get("files", {}), place)
        if "dockerfile" in state:
            self.write(context, state["dockerfile"], base)
        path = context / "Dockerfile"
        for edit in state.get("edit", []):
            old, _, new = edit.partition(" => ")
            data = path.read_bytes().decode()
            if old.replace("BASE", base) not in data:
                raise RuntimeError(f"{old!r} is not in the Dockerfile")
            new = new.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
            path.write_bytes(
                data.replace(old.replace("BASE", base), new.replace("BASE", base)).encode()
            )

    def clean(self) -> None:
        """Remove the images that were made, end the server."""
        self._stop_serving()
        if self.images:
            command = ["docker", "image", "rm", "--force", *self.images]
            subprocess.run(command, check=False, capture_output=True)


def lay_out(context: Path, files: dict[str, Any], place: Path) -> None:
    """Make the files of a case; ``@name`` lies beside the context, None removes."""
    for name, value in files.items():
        path = place / name[1:] if name.startswith("@") else context / name
        entry = value if isinstance(value, dict) else {"text": value}
        if value is None:
            remove(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if "link" in entry:
            remove(path)
            path.symlink_to(entry["link"])
        elif "hard" in entry:
            remove(path)
            path.hardlink_to(context / entry["hard"])
        elif entry.get("fifo"):
            os.mkfifo(path)
        elif "device" in entry:
            os.mknod(path, 0o644 | stat.S_IFCHR, os.makedev(*entry["device"]))
        elif entry.get("dir"):
            path.mkdir(parents=True, exist_ok=True)
        elif "tar" in entry:
            make_tar(path, entry["tar"])
        elif entry.get("text") is not None:
            before = path.stat() if entry.get("keep_times") else None
            salted = not name.startswith((".", "Dockerfile", "Other", "@s", "@o", "@n", "@O"))
            text = entry["text"] + (f" {place.name} {place.parent.name}" if salted else "")
            path.write_bytes(text.encode())
            if before:
                os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        if "mode" in entry:
            path.chmod(int(str(entry["mode"]), 8))
        if "touch" in entry:
            os.utime(path, (entry["touch"], entry["touch"]))
        if "owner" in entry:
            os.chown(path, entry["owner"], entry["owner"])
        if "rename" in entry:
            path.rename(context / entry["rename"])


def remove(path: Path) -> None:
    """Remove a file, a link or a tree."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_tar(path: Path, members: dict[str, str]) -> None:
    """Make a small tar archive with fixed times."""
    import io
    import tarfile

    with tarfile.open(path, "w") as archive:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))


def build(context: Path, flags: list[str], place: Path) -> list[Fact]:
    """Build for real and return what BuildKit says of each step."""
    command = ["docker", "buildx", "build", "--progress=rawjson", "--output=type=cacheonly"]
    done = subprocess.run(
        [*command, *flags, str(context)], capture_output=True, text=True, check=False, cwd=place
    )
    if done.returncode:
        raise RuntimeError(f"{context.parent.name}: the build failed: {done.stderr[-800:]}")
    return read_facts(done.stderr)


def compare(case: Case, prediction: Prediction, facts: list[Fact]) -> Iterator[Row]:
    """Set predicted and real steps side by side."""
    steps = [step for step in prediction.steps if SALT not in step.instruction]
    real = [fact for fact in facts if SALT not in fact.instruction]
    for one in compare_steps(steps, real):
        text = f"{one.stage} {one.instruction}".strip()
        yield Row(case.name, case.rule, text, one.verdict, one.fact, one.cause)


@contextlib.contextmanager
def opened() -> Iterator[Bench]:
    """Open a bench in a temporary folder and clean up behind it."""
    with tempfile.TemporaryDirectory(prefix="aipipe-cases-") as folder:
        bench = Bench(Path(folder))
        try:
            yield bench
        finally:
            bench.clean()


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--rule", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    cases = [
        case
        for case in load_cases()
        if options.only in case.name
        and options.rule in (None, case.rule)
        and (case.quick or not options.quick)
    ]
    rows: list[Row] = []
    started = time.perf_counter()
    errors = 0
    with opened() as bench:
        for case in cases:
            try:
                found = bench.run(case)
            except Exception as error:
                errors += 1
                print(f"ERROR {case.name}: {type(error).__name__}: {str(error)[-600:]}", flush=True)
                continue
            rows += found
            bad = [row for row in found if row.outcome != "right"]
            for row in bad:
                print(
                    f"{row.outcome:12} {row.case}: {row.step!r} predicted {row.verdict}, "
                    f"was {row.fact} ({row.cause})",
                    flush=True,
                )
    report(rows, len(cases), errors, time.perf_counter() - started)
    if options.json:
        document = [
            {**{k: getattr(r, k) for k in Row.__slots__}, "outcome": r.outcome} for r in rows
        ]
        Path(options.json).write_text(json.dumps(document, indent=1), encoding="utf-8")
    return int(errors > 0 or any(row.outcome in ("wrong", "false hit") for row in rows))


def report(rows: list[Row], cases: int, errors: int, seconds: float) -> None:
    """Print the totals, by rule and together."""
    kinds = ("right", "conditional", "abstained", "wrong", "false hit")
    print(f"\n{'rule':>6} {'steps':>6} " + " ".join(f"{kind:>12}" for kind in kinds))
    for rule in [*sorted({row.rule for row in rows}), None]:
        part = [row for row in rows if rule in (None, row.rule)]
        counts = [sum(row.outcome == kind for row in part) for kind in kinds]
        label = "all" if rule is None else str(rule)
        print(f"{label:>6} {len(part):>6} " + " ".join(f"{count:>12}" for count in counts))
    abstained = sum(row.outcome == "abstained" for row in rows)
    share = 100 * abstained / len(rows) if rows else 0.0
    print(f"\n{cases} cases ({errors} could not run), {len(rows)} steps, {seconds:.0f} s")
    print(f"abstained on {share:.1f} % of the steps")


if __name__ == "__main__":
    sys.exit(main())
