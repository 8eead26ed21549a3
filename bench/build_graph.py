"""Compare the graph that is predicted with the one that BuildKit says it built.

    python bench/build_graph.py [--only NAME]

Every n-th case of the table is built with ``--provenance=mode=max``, whose document holds
BuildKit's own operations; the RUNs, the file operations that a step shows and the merges are
counted on both sides.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
from collections import Counter
from typing import TYPE_CHECKING, Any

from build_cases import lay_out, load_cases, opened

if TYPE_CHECKING:
    from pathlib import Path

    from build_cases import Bench, Case

    from aipipe_build.keys.model import Vertex

_KINDS = {"run": "run", "copy": "file", "workdir": "file", "merge": "merge"}
_LIMIT = 8 << 20


def predicted(bench: Bench, context: Path, flags: list[str], place: Path) -> Counter[str]:
    """Count the vertices below the head of our graph."""
    job = bench.job(context, flags, place)
    dockerfile = job.dockerfile()
    (merges,) = job.merge_modes(dockerfile)
    graph = job.graph(dockerfile, merges=merges, for_record=True)
    from aipipe_build.keys.compute import KeyRing

    ring = KeyRing()
    seen: dict[str, str] = {}
    pending: list[Vertex] = [graph.head] if graph.head else []
    while pending:
        vertex = pending.pop()
        if vertex.kind in _KINDS:
            seen[ring.keys(vertex).exact] = _KINDS[vertex.kind]
        pending += [item.vertex for item in vertex.inputs if item.vertex]
    return Counter(seen.values())


def built(context: Path, flags: list[str], place: Path) -> Counter[str]:
    """Count BuildKit's own operations."""
    archive = place / "image.tar"
    command = ["docker", "buildx", "build", "--provenance=mode=max"]
    subprocess.run(
        [*command, f"--output=type=oci,dest={archive}", *flags, str(context)],
        check=True,
        capture_output=True,
        cwd=place,
    )
    steps = provenance(archive)["buildConfig"]["llbDefinition"]
    counts: Counter[str] = Counter()
    for step in steps:
        op = step["op"].get("Op") or {}
        if "exec" in op:
            counts["run"] += 1
        elif "merge" in op:
            counts["merge"] += 1
        elif "file" in op and not _is_internal(op["file"]):
            counts["file"] += 1
    return counts


def provenance(archive: Path) -> dict[str, Any]:
    """Return the provenance predicate inside an OCI archive."""
    with tarfile.open(archive) as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.size < _LIMIT else None
            data = stream.read() if stream else b""
            if b"llbDefinition" in data:
                predicate: dict[str, Any] = json.loads(data)["predicate"]
                return predicate
    raise RuntimeError("the archive holds no provenance")


def _is_internal(op: dict[str, Any]) -> bool:
    """Tell whether a file operation only prepares an inline document or a cache folder."""
    actions = op.get("actions", [])
    for action in actions:
        kind = action["Action"]
        if "mkfile" in kind:
            return True
        if kind.get("mkdir", {}).get("path") == "/cache" and action.get("input", 0) == -1:
            return True
    return False


def main() -> int:
    """Compare a sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=12)
    options = parser.parse_args()
    cases: list[Case] = [case for case in load_cases() if options.only in case.name]
    same = different = 0
    with opened() as bench:
        for case in cases[:: 1 if options.only else options.every]:
            if any(key in one for one in [*case.before, case.change] for key in ("image", "tag")):
                continue
            place = bench.folder / case.name
            context = place / "context"
            context.mkdir(parents=True)
            bench.serve(place)
            lay_out(context, case.files, place)
            base = bench.base(case)
            bench.write(context, case.dockerfile, base)
            flags = bench.flags(case.flags, base, place)
            ours, theirs = predicted(bench, context, flags, place), built(context, flags, place)
            same += ours == theirs
            different += ours != theirs
            if ours != theirs:
                print(f"{case.name}: predicted {dict(ours)}, built {dict(theirs)}", flush=True)
    print(f"{same} graphs are the same, {different} differ")
    return int(different > 0)


if __name__ == "__main__":
    sys.exit(main())
