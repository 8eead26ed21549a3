"""Parse every Dockerfile in git repositories (bare or not) and check the round trip.

    python bench/build_parse.py REPOSITORY... [--show N]

For each file: it parses, its text comes back unchanged, its stages connect, and its graph is
made with every image unknown and every copied file present.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.keys.convert import build_graph
from aipipe_build.keys.model import BaseImage
from aipipe_build.request import BuildRequest
from aipipe_core.errors import AipipeError

NAME = re.compile(
    r"(^|/)(dockerfile([.-][\w.-]+)?|[\w.-]+\.dockerfile|containerfile)$", re.IGNORECASE
)


class AnyContext:
    """A context that has everything."""

    def content(self, name: str, selectors: object) -> str:
        """Return a key made of what is asked for."""
        return hashlib.sha256(f"{name}{selectors}".encode()).hexdigest()


class AnyImage:
    """Images of which nobody knows anything."""

    def resolve(self, reference: str, platform: object) -> BaseImage:
        """Return the name as the identity."""
        return BaseImage(reference, f"{reference} {platform}")


class AnyDownload:
    """URLs that all serve something."""

    def digest(self, url: str) -> str:
        """Return the URL as the digest."""
        return url


def git(repository: str, *words: str) -> bytes:
    """Run git and return its output."""
    command = ["git", "-C", repository, *words]
    return subprocess.run(command, check=True, capture_output=True).stdout


def dockerfiles(repository: str) -> list[tuple[str, str]]:
    """Return path and text of every Dockerfile at HEAD."""
    listing = git(repository, "ls-tree", "-r", "-z", "HEAD").decode(errors="surrogateescape")
    found: list[tuple[str, str]] = []
    for row in listing.split("\0"):
        meta, _, path = row.partition("\t")
        other = path.endswith((".dockerignore", ".go", ".md"))
        if other or not NAME.search(path) or not meta.startswith("100"):
            continue
        data = git(repository, "cat-file", "blob", meta.split()[2])
        found.append((path, data.decode(errors="surrogateescape")))
    return found


def main() -> int:
    """Parse all and print what failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", nargs="+")
    parser.add_argument("--show", type=int, default=20)
    options = parser.parse_args()
    files = parsed = graphs = steps = 0
    failures: list[str] = []
    started = time.perf_counter()
    for repository in options.repositories:
        for path, text in dockerfiles(repository):
            files += 1
            where = f"{repository}:{path}"
            try:
                dockerfile = parse_dockerfile(text)
                if dockerfile.text() != text:
                    failures.append(f"DEFECT   {where}: the text did not come back unchanged")
                parsed += 1
                request = BuildRequest(Path(), Path("Dockerfile"))
                graph = build_graph(
                    dockerfile,
                    request,
                    contexts=AnyContext(),
                    images=AnyImage(),
                    downloads=AnyDownload(),
                )
                graphs += 1
                steps += len(graph.steps)
            except AipipeError as error:
                failures.append(f"refused  {where}: {error}")
            except Exception as error:
                failures.append(f"DEFECT   {where}: {type(error).__name__}: {error}")
    seconds = time.perf_counter() - started
    for line in failures[: options.show]:
        print(line)
    print(
        f"{files} Dockerfiles: {parsed} parsed, {graphs} graphs with {steps} steps, {seconds:.1f} s"
    )
    return int(any(line.startswith("DEFECT") for line in failures))


if __name__ == "__main__":
    sys.exit(main())
