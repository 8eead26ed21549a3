"""Brings the official SARIF 2.1.0 schema to ``.cache/schemas``, from a package that ships it.

    python tests/official.py

The schema is not ours to copy. The source distribution of ``sarif-om``, the object model that
the authors of SARIF publish, holds it; pip brings that and it is read out of it, not installed.
Exits 0 when the schema is there, 3 when it could not be had.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "sarif-om==1.0.4"
MEMBER = "sarif_om-1.0.4/sarif-2.1.0-rtm.4.json"
TARGET = Path(__file__).parents[1] / ".cache" / "schemas" / "sarif-2.1.0.json"


def fetch() -> bytes:
    """Return the schema's bytes."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        where = ["--no-binary", ":all:", "--dest", folder]
        subprocess.run([*pip, *where, PACKAGE], check=True, timeout=300)
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            member = packed.extractfile(MEMBER)
            if member is None:
                raise LookupError(f"{MEMBER} is no file of {archive.name}")
            return member.read()


def main() -> int:
    """Fetch the schema unless it is there."""
    if TARGET.is_file():
        return 0
    try:
        content = fetch()
        json.loads(content)
    except (
        OSError,
        subprocess.SubprocessError,
        LookupError,
        ValueError,
        tarfile.TarError,
    ) as error:
        print(f"official schema: {PACKAGE} could not be had: {error}", file=sys.stderr)
        return 3
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    half = TARGET.with_suffix(".part")
    half.write_bytes(content)
    half.replace(TARGET)
    return 0


if __name__ == "__main__":
    sys.exit(main())
