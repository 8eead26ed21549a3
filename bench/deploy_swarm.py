"""Every strategy on a Swarm of three nodes, a node that is cut off, and the Swarm's own rollback.

    bash bench/swarm_nodes.sh up
    python bench/deploy_swarm.py --manager unix:///run/aipipe-swarm/1/docker.sock
    bash bench/swarm_nodes.sh down

The images are copied to the three engines; users ask all the time. The last row is what
`docker service rollback` takes from the command to the last request on the new version, with the
same HAProxy in front and retrying.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from deploy_load import Load  # noqa: E402 - a script beside this one
from deploy_shop import IMAGE, Shop, build_images, docker, project  # noqa: E402 - likewise


class Cluster:
    """The three engines; the manager is the first."""

    def __init__(self, manager: str) -> None:
        self.manager = manager
        self.hosts = [manager.replace("/1/", f"/{i}/") for i in (1, 2, 3)]

    def run(self, *words: str) -> str:
        """Run the Docker client at the manager."""
        return docker("--host", self.manager, *words)

    def copy_images(self) -> None:
        """Bring the images to every node, for there is no registry."""
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/images.tar"
            docker("save", "--output", file, *(f"{IMAGE}:{v}" for v in ("1", "2", "worse")))
            for host in self.hosts:
                docker("--host", host, "load", "--quiet", "--input", file)

    def cut(self, node: int, *, off: bool) -> None:
        """Take a node's link down, or up again."""
        subprocess.run(["ip", "link", "set", f"{LINK}{node}", "down" if off else "up"], check=True)


LINK = "aipipesw"


def judged(shop: Shop, name: str, load: Load, wanted: str, *, said: str = "") -> bool:
    """End the load and print a row."""
    time.sleep(1.0)
    load.end()
    result = load.result()
    late = {word for at, _, word, _ in load.answers() if at > time.time() - 0.7}
    problems = json.loads(shop.run("status", "--json").stdout)["problems"]
    good = not result["lost"] and late == {wanted} and not problems
    print(
        f"{'ok  ' if good else 'FAIL'} {name:28} at {'/'.join(sorted(late))}"
        f"  sent {result['sent']}  lost {result['lost']}  reconnected {result['reconnected']}"
        f"  slowest {result['slowest_ms']} ms"
        + (f"  {result['reasons']} {problems} {said[-400:]}" if not good else ""),
        flush=True,
    )
    return good


def releases(shop: Shop, cluster: Cluster, rate: float) -> bool:
    """Each strategy, a rollback by hand, a node that is cut off while a release is watched."""
    good, version = True, "1"
    for strategy in ("rolling", "blue-green", "canary", "hotfix"):
        load, version = started(shop, rate), "2" if version == "1" else "1"
        done = shop.run("up", "--strategy", strategy, "--image", f"web={IMAGE}:{version}")
        good &= judged(shop, strategy, load, version, said=done.stderr)
    load, version = started(shop, rate), "2" if version == "1" else "1"
    done = shop.run("rollback")
    good &= judged(shop, "rollback by hand", load, version, said=done.stderr)
    load, other = started(shop, rate), "2" if version == "1" else "1"
    child = subprocess.Popen(
        shop.argv("up", "--image", f"web={IMAGE}:{other}", "--watch", "15"),
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": sys.path[0]},
    )  # fmt: skip
    assert child.stderr
    said = []
    for line in child.stderr:
        said.append(line)
        if "watch" in line:
            time.sleep(2)
            cluster.cut(3, off=True)
    child.wait()
    late = other if child.returncode == 0 else version
    good &= judged(shop, "node cut off in the watch", load, late, said="".join(said))
    cluster.cut(3, off=False)
    return good


def started(shop: Shop, rate: float) -> Load:
    """Start the users."""
    load = Load(shop.url, connections=6, rate=rate, seconds=240)
    load.start()
    time.sleep(0.3)
    return load


def native(shop: Shop, cluster: Cluster, rate: float) -> None:
    """Time the Swarm's own rollback behind the same proxy."""
    name = json.loads(shop.run("status", "--json").stdout)
    release = name["serving"]["id"]
    units = [
        line
        for line in cluster.run("service", "ls", "--format", "{{.Name}} {{.Replicas}}").split("\n")
        if line.startswith(f"{shop.name}-web-") and " 0/0" not in line
    ]  # fmt: skip
    service = units[0].split()[0]
    spec = json.loads(cluster.run("service", "inspect", service))[0]["Spec"]
    old = spec["TaskTemplate"]["ContainerSpec"]["Image"]
    new = f"{IMAGE}:{'2' if old.endswith(':1') else '1'}"
    cluster.run("service", "update", "--quiet", "--no-resolve-image", "--image", new,
                "--update-delay", "0s", "--update-order", "stop-first", service)  # fmt: skip
    load = started(shop, rate)
    time.sleep(1)
    began = time.time()
    cluster.run("service", "rollback", "--quiet", service)
    took = time.time() - began
    time.sleep(1)
    load.end()
    result = load.result()
    sent = [asked for _, _, word, asked in load.answers() if word == new.rsplit(":", 1)[1]]
    last = 1000 * (max(sent) - began) if sent else 0.0
    print(f"docker service rollback (of release {release}): last request on the new version after"
          f" {last:.0f} ms, command {took:.1f} s,"
          f" sent {result['sent']}  lost {result['lost']}")  # fmt: skip


def main() -> int:
    global LINK  # noqa: PLW0603 - a script's option
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--manager", default="unix:///run/aipipe-swarm/1/docker.sock")
    parser.add_argument("--link", default=LINK, help="prefix of the nodes' links")
    parser.add_argument("--rate", type=float, default=150.0)
    options = parser.parse_args()
    LINK = options.link
    cluster = Cluster(options.manager)
    build_images()
    cluster.copy_images()
    head = f'target = "swarm"\nhost = "{options.manager}"\n'
    with project(f"sw{os.getpid() % 1000}", replicas=2, head=head) as shop:
        done = shop.run("up")
        assert done.returncode == 0, done.stderr
        good = releases(shop, cluster, options.rate)
        native(shop, cluster, options.rate)
        for row in cluster.run("service", "ls", "--format", "{{.Name}}").split():
            if row.startswith(shop.name):
                cluster.run("service", "rm", row)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
