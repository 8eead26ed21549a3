"""The example service released with every strategy, and back, with users who ask all the time.

    python bench/deploy_example.py                   # on one host
    bash bench/swarm_nodes.sh up
    python bench/deploy_example.py --swarm           # on a Swarm of three nodes
    bash bench/swarm_nodes.sh down

`examples/orders` is copied and built twice: as it stands, and with `changes/vouchers.patch`. Each
strategy brings the other of the two live, by the example's own configuration; `rollback` takes the
last one back. Which version answers is asked of the service itself: one takes vouchers. A line
each, with the requests sent and lost. Ends with 1 where one was lost or the wrong version answers.
Needs a Docker engine with the image python:3.11-slim, and haproxy.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from commit_to_live import ORDERS, Orders  # noqa: E402 - a script beside this one
from deploy_load import Load  # noqa: E402 - likewise
from deploy_shop import docker  # noqa: E402 - likewise

STRATEGIES = ("rolling", "blue-green", "canary", "hotfix")
MANAGER = "unix:///run/aipipe-swarm/1/docker.sock"
BASKET = {"items": [{"sku": "tea", "price": "10.00"}], "voucher": "5.00"}


class Example:
    """The example in its two versions, on one host or on the Swarm of ``manager``."""

    def __init__(self, folder: Path, watch: float, manager: str) -> None:
        self.orders = Orders(folder, watch)
        self.manager = manager
        if manager:
            file = folder / "aipipe.toml"
            text = file.read_text(encoding="utf-8")
            head = f'[deploy]\ntarget = "swarm"\nhost = "{manager}"\n'
            file.write_text(text.replace("[deploy]\n", head, 1), encoding="utf-8")
        self.build("1")
        self.orders.git("apply", str(ORDERS / "changes" / "vouchers.patch"))
        self.build("2")
        if manager:
            self._copy_images()

    def image(self, version: str) -> str:
        """Return the reference of a version."""
        return f"{self.orders.name}:{version}"

    def build(self, version: str) -> None:
        """Build the folder as it is now."""
        docker("build", "--quiet", "--tag", self.image(version), str(self.orders.folder))

    def _copy_images(self) -> None:
        """Bring both to every node, for there is no registry."""
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/images.tar"
            docker("save", "--output", file, self.image("1"), self.image("2"))
            for node in ("/1/", "/2/", "/3/"):
                host = self.manager.replace("/1/", node)
                docker("--host", host, "load", "--quiet", "--input", file)

    def answering(self) -> str:
        """Ask the service for a price with a voucher: only version 2 takes it off."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.orders.port}/price", data=json.dumps(BASKET).encode()
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return "1" if json.load(answer)["total"] == "10.00" else "2"

    def act(self, name: str, wanted: str, *words: str) -> bool:
        """Run a release command under load; print its row."""
        url = f"http://127.0.0.1:{self.orders.port}/health"
        load = Load(url, connections=6, rate=100.0, seconds=300)
        load.start()
        while not load.is_answered():
            time.sleep(0.02)
        began = time.monotonic()
        done = self.orders.run("aipipe_deploy", *words)
        took = time.monotonic() - began
        time.sleep(1.0)
        found = {self.answering() for _ in range(8)}
        load.end()
        result = load.result()
        status = json.loads(self.orders.run("aipipe_deploy", "status", "--json").stdout)
        good = not (done.returncode or result["lost"] or status["problems"] or found != {wanted})
        where = "three nodes" if self.manager else "one host"
        print(f"{'ok  ' if good else 'FAIL'} {where:11} {name:10} to version {'/'.join(found)}"
              f" in {took:4.1f} s  sent {result['sent']:4}  lost {result['lost']}"
              f"  slowest {result['slowest_ms']} ms"
              + (f"  {result['reasons']} {status['problems']} {done.stdout} {done.stderr}"
                 if not good else ""), flush=True)  # fmt: skip
        return good

    def end(self) -> None:
        """Take everything away."""
        if self.manager:
            listed = docker("--host", self.manager, "service", "ls", "--quiet", "--filter",
                            f"label=dev.aipipe.project={self.orders.name}").split()  # fmt: skip
            if listed:
                docker("--host", self.manager, "service", "rm", *listed)
        self.orders.end()
        docker("rmi", "--force", self.image("1"), self.image("2"), check=False)


def releases(example: Example) -> bool:
    """Release version 1 on the empty target, the other one by each strategy, and go back."""
    first = example.orders.run("aipipe_deploy", "up", "--image", f"web={example.image('1')}")
    assert first.returncode == 0, first.stdout + first.stderr
    good, version = True, "1"
    for strategy in STRATEGIES:
        version = "2" if version == "1" else "1"
        image = f"web={example.image(version)}"
        good &= example.act(strategy, version, "up", "--strategy", strategy, "--image", image)
    return good & example.act("rollback", "2" if version == "1" else "1", "rollback")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--swarm", action="store_true", help="on the nodes of swarm_nodes.sh")
    parser.add_argument("--manager", default=MANAGER, help="the Swarm's manager")
    parser.add_argument("--watch", type=float, default=6.0, metavar="SECONDS")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="example-"))
    example = Example(folder, options.watch, options.manager if options.swarm else "")
    try:
        return 0 if releases(example) else 1
    finally:
        example.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
