"""From a verdict to the last request on the new version, under load, beside an nginx reload.

    python bench/deploy_rollback.py --runs 10 --rate 400

One run: version 1 serves, version 2 is released and watched with most of the traffic; a verdict
falls; the clock runs until the last request was *sent* that version 2 answered. The verdict is
a stand-in's, so that a run takes seconds; what follows it is the real thing: journal, proxy.
nginx gets the same two images behind an upstream that is rewritten and reloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from deploy_shop import IMAGE, Shop, build_images, docker, free_port, project  # noqa: E402

from aipipe_deploy.judge import Outcome, Verdict  # noqa: E402
from aipipe_deploy.release.project import Project, Wish  # noqa: E402


class Users:
    """A load in a process of its own, and what it saw."""

    def __init__(self, url: str, rate: float) -> None:
        self._log = Path(tempfile.mkstemp(prefix="load-")[1])
        self._child = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "deploy_load.py"), url, "--seconds", "300",
             "--connections", "16", "--rate", str(rate), "--log", str(self._log)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def end(self) -> tuple[dict[str, Any], list[tuple[float, str]]]:
        """Return the sums, and (time sent, version) of every answer."""
        self._child.send_signal(signal.SIGTERM)
        out, _ = self._child.communicate()
        rows = [line.split() for line in self._log.read_text(encoding="utf-8").splitlines()]
        self._log.unlink()
        return json.loads(out), [(float(row[3]), row[2]) for row in rows if len(row) == 4]


class Gavel:
    """Watches a second, then fails the release; remembers when."""

    def __init__(self) -> None:
        self.fell = 0.0

    def watch(self, *_: object) -> Verdict:
        """See the runner's watcher."""
        time.sleep(1.0)
        self.fell = time.time()
        return Verdict(Outcome.FAIL, 1.0, "the bench says so")


def last_of(version: str, answers: list[tuple[float, str]], verdict: float) -> float:
    """Milliseconds from the verdict to the last request that went to ``version``."""
    sent = [at for at, word in answers if word == version]
    return 1000 * (max(sent) - verdict) if sent else 0.0


def ours(shop: Shop, rate: float) -> tuple[float, dict[str, Any]]:
    """One release that a verdict turns back."""
    opened = Project.at(shop.folder)
    gavel = Gavel()
    users = Users(shop.url, rate)
    time.sleep(0.5)
    with opened.journal.lease():
        wish = Wish(strategy="blue-green", images=(("web", f"{IMAGE}:2"),))
        plan = opened.plan(wish, pull=False)
        assert plan
        opened.journal.begin(plan.release, plan.moves)
        runner = opened.runner(lambda _: None)
        runner.watcher = gavel
        runner.forward(plan.release)
    opened.journal.close()
    time.sleep(0.3)
    result, answers = users.end()
    return last_of("2", answers, gavel.fell), result


_NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  upstream shop {{ server {address}:8000; keepalive 32; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def nginx(rate: float, runs: int) -> list[tuple[float, dict[str, Any]]]:
    """The same decision carried out by rewriting a file and reloading."""
    folder, port = Path(tempfile.mkdtemp(prefix="nginx-")), free_port()
    names = [docker("run", "--detach", "--rm", f"{IMAGE}:{v}") for v in ("1", "2")]
    found = []
    try:
        addresses = [
            docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", name) for name in names
        ]

        def write(address: str) -> None:
            text = _NGINX.format(folder=folder, address=address, port=port)
            (folder / "nginx.conf").write_text(text, encoding="utf-8")

        write(addresses[1])
        server = subprocess.Popen(["nginx", "-p", str(folder), "-c", "nginx.conf"])
        time.sleep(1.5)
        for _ in range(runs):
            write(addresses[1])
            server.send_signal(signal.SIGHUP)
            time.sleep(1.0)
            users = Users(f"http://127.0.0.1:{port}/", rate)
            time.sleep(1.0)
            verdict = time.time()
            write(addresses[0])
            server.send_signal(signal.SIGHUP)
            time.sleep(1.5)
            result, answers = users.end()
            found.append((last_of("2", answers, verdict), result))
        server.terminate()
        server.wait()
    finally:
        docker("rm", "--force", *names)
        shutil.rmtree(folder, ignore_errors=True)
    return found


def say(name: str, found: list[tuple[float, dict[str, Any]]]) -> None:
    """Print one row."""
    times = [at for at, _ in found]
    sums = {key: sum(r[key] for _, r in found) for key in ("sent", "lost", "reconnected")}
    print(
        f"{name:34} median {statistics.median(times):9.1f} ms  worst {max(times):9.1f} ms"
        f"  sent {sums['sent']}  lost {sums['lost']}  reconnected {sums['reconnected']}"
        f"  ({len(found)} runs)",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rate", type=float, default=400.0)
    options = parser.parse_args()
    build_images()
    with project(f"flip{os.getpid() % 1000}") as shop:
        done = shop.run("up")
        assert done.returncode == 0, done.stderr
        say("aipipe-deploy, HAProxy", [ours(shop, options.rate) for _ in range(options.runs)])
    if shutil.which("nginx"):
        say("nginx, reload", nginx(options.rate, options.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
