"""The sandbox for who has no rights: the usual case, whoever runs these tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import aipipe_core

SCRIPT = """
import sys, tempfile
from pathlib import Path
from aipipe_core.sandbox import Limits, policy_for, run
from aipipe_core.sandbox.choice import candidates, trial
bomb = '''
import os, time
made = 0
try:
    while made < 200:
        if os.fork() == 0:
            time.sleep(3); os._exit(0)
        made += 1
except OSError: pass
print(made)
'''
for box in candidates():
    why_not = trial(box)
    if why_not:
        print(box.name, "skipped", why_not)
        continue
    top = Path(tempfile.mkdtemp())
    policy = policy_for(top / "private", {"HOME": "/nonexistent"}, limits=Limits(seconds=20, processes=30))
    print(box.name, "made", run(box.wrap([sys.executable, "-c", bomb], policy, top)).stdout.decode().strip())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root already is the usual case")
def test_every_kind_works_without_rights_and_the_kernel_itself_stops_a_fork_bomb() -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    setpriv = shutil.which("setpriv")
    if python is None or setpriv is None:
        pytest.skip("needs a Python of the system's and setpriv")
    # Not pytest's tmp_path: nobody else may look into that.
    top = Path("/tmp") / f"aipipe-users-{os.getpid()}"
    shutil.copytree(
        Path(aipipe_core.__file__).parent,
        top / "aipipe_core",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    try:
        top.chmod(0o755)
        version = subprocess.run([python, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True, text=True, check=True)  # fmt: skip
        if version.stdout.strip() != "True":
            pytest.skip("the system's Python is too old")
        said = subprocess.run(
            [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", python, "-B", "-c", SCRIPT],
            cwd=top, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, capture_output=True, text=True, timeout=120, check=True,
        ).stdout.splitlines()  # fmt: skip
    finally:
        shutil.rmtree(top)
    counts = [
        int(line.rsplit(" ", 1)[1]) for line in said if " made " in line and line[-1].isdigit()
    ]
    assert len(said) >= 3
    assert all(count <= 40 for count in counts), said
