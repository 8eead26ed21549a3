"""Each rule: what it changes, what it leaves to the letter, and where it keeps its hands off."""

from __future__ import annotations

from typing import Any

import pytest

from aipipe_build.dockerfile.parse import parse_dockerfile
from aipipe_build.optimise.rules.advice import advise
from aipipe_build.optimise.rules.every import RULES
from aipipe_build.optimise.situation import Base, Situation

DIGEST = "sha256:" + "a" * 64


def situation(text: str, *files: str, **more: Any) -> Situation:
    reads = more.pop("reads", {})
    more.setdefault("base", lambda _: Base(DIGEST, "", 1))
    return Situation(text, files=frozenset(files), read=reads.get, **more)


def rewritten(rule: str, text: str, *files: str, **more: Any) -> str | None:
    proposal = RULES[rule](situation(text, *files, **more))
    if proposal is None:
        return None
    assert proposal.text is not None
    parse_dockerfile(proposal.text)
    return proposal.text


BROAD = """\
FROM python:3.11-slim

WORKDIR /app

# the sources
COPY --chown=app . .
# the dependencies
RUN pip install -r requirements.txt
CMD ["python", "app.py"]
"""


def test_manifests_are_copied_before_the_sources_and_comments_go_along() -> None:
    assert (
        rewritten("manifests", BROAD, "requirements.txt", "app.py")
        == """\
FROM python:3.11-slim

WORKDIR /app

COPY --chown=app requirements.txt ./
# the dependencies
RUN pip install -r requirements.txt
# the sources
COPY --chown=app . .
CMD ["python", "app.py"]
"""
    )


def test_what_a_requirement_file_includes_is_copied_too() -> None:
    text = "FROM python\nCOPY . /srv\nRUN pip install -r /srv/requirements/prod.txt\n"
    files = ("requirements/prod.txt", "requirements/base.txt", "constraints.txt")
    reads = {"requirements/prod.txt": "-r base.txt\n-c ../constraints.txt\nflask\n"}
    assert rewritten("manifests", text, *files, reads=reads) == (
        "FROM python\n"
        "COPY constraints.txt /srv/\n"
        "COPY requirements/base.txt requirements/prod.txt /srv/requirements/\n"
        "RUN pip install -r /srv/requirements/prod.txt\n"
        "COPY . /srv\n"
    )


@pytest.mark.parametrize("reads", ["-e .\n", ".\n", "./lib\n", "lib @ file:///srv/lib\n"])
def test_requirements_that_want_the_project_itself_need_the_sources(reads: str) -> None:
    found = rewritten("manifests", BROAD, "requirements.txt", reads={"requirements.txt": reads})
    assert found is None


@pytest.mark.parametrize(
    "run",
    [
        "pip install .",
        "pip install -e .",
        "make install",
        "pip install -r requirements.txt && python setup.py install",
        "pip install -r requirements.txt || true",
        "pip install -r $FILE",
        "if true; then pip install -r requirements.txt; fi",
    ],
)
def test_a_run_that_may_read_more_than_manifests_keeps_its_sources(run: str) -> None:
    text = f"FROM python\nCOPY . .\nRUN {run}\n"
    assert rewritten("manifests", text, "requirements.txt", "app.py") is None


def test_a_copy_between_the_two_is_not_jumped_over() -> None:
    text = "FROM python\nCOPY . .\nCOPY other /other\nRUN pip install -r requirements.txt\n"
    assert rewritten("manifests", text, "requirements.txt", "other") is None


def test_npm_needs_its_two_files_only() -> None:
    text = "FROM node\nWORKDIR /app\nCOPY web/ ./\nRUN npm ci --omit=dev\n"
    files = ("web/package.json", "web/package-lock.json", "web/index.js")
    assert rewritten("manifests", text, *files) == (
        "FROM node\nWORKDIR /app\n"
        "COPY web/package-lock.json web/package.json ./\n"
        "RUN npm ci --omit=dev\n"
        "COPY web/ ./\n"
    )


def test_installers_that_need_no_source_come_before_it() -> None:
    text = "FROM python\nCOPY . /app\nRUN pip install flask==2.0\n"
    assert rewritten("order", text, "app.py") == (
        "FROM python\nRUN pip install flask==2.0\nCOPY . /app\n"
    )


@pytest.mark.parametrize(
    ("copy", "run"),
    [
        ("COPY . /app", "pip install -r /app/requirements.txt"),
        ("COPY . /app", "pip install /app"),
        ("COPY sources.list /etc/apt/sources.list", "apt-get update"),
        ("COPY pip.conf /root/.pip/pip.conf", "pip install flask"),
        ("COPY . /app", "./configure"),
        ("COPY . /app", "pip install flask && ./hook"),
    ],
)
def test_a_copy_that_an_installer_may_read_stays_in_front(copy: str, run: str) -> None:
    text = f"FROM python\n{copy}\nRUN {run}\n"
    assert rewritten("order", text, "requirements.txt", "sources.list", "pip.conf") is None


def test_what_changes_often_is_copied_last() -> None:
    text = "FROM scratch\n# code\nCOPY src /src\n# seldom\nCOPY data /data\n"
    changed = {"src/a.py": 9, "data/b": 1}
    found = rewritten("order", text, "src/a.py", "data/b", changed=changed)
    assert found == "FROM scratch\n# seldom\nCOPY data /data\n# code\nCOPY src /src\n"
    assert rewritten("order", text, "src/a.py", "data/b") is None


def test_copies_into_each_other_keep_their_order() -> None:
    text = "FROM scratch\nCOPY src /app\nCOPY data /app/data\n"
    changed = {"src/a.py": 9, "data/b": 1}
    assert rewritten("order", text, "src/a.py", "data/b", changed=changed) is None


def test_steps_of_apt_are_joined_and_left_clean() -> None:
    text = (
        "FROM debian\n# lists\nRUN apt-get update\nRUN apt-get install -y curl\n"
        "RUN rm -rf /var/lib/apt/lists/*\nCMD true\n"
    )
    assert rewritten("layers", text) == (
        "FROM debian\n# lists\nRUN apt-get update \\\n    && apt-get install -y curl \\\n"
        "    && rm -rf /var/lib/apt/lists/*\nCMD true\n"
    )


def test_a_single_step_of_apt_is_only_added_to() -> None:
    text = "FROM debian\nRUN apt-get update && \\\n  apt-get install -y curl && \\\n  echo done\n"
    assert rewritten("layers", text) == text.rstrip() + (
        " \\\n    && rm -rf /var/lib/apt/lists/*\n"
    )
    clean = (
        "FROM debian\nRUN apt-get update && apt-get install -y c && rm -rf /var/lib/apt/lists/*\n"
    )
    assert rewritten("layers", clean) is None


def test_another_escape_character_is_kept() -> None:
    text = "# escape=`\nFROM debian\nRUN apt-get update\nRUN apt-get install -y curl\n"
    found = rewritten("layers", text)
    assert found is not None
    assert "apt-get update `\n" in found
    assert "\\" not in found


def test_pip_and_apt_get_cache_mounts() -> None:
    text = (
        "FROM debian\n"
        "RUN apt-get update && apt-get install -y \\\n    curl \\\n"
        "    && rm -rf /var/lib/apt/lists/*\n"
        "RUN pip install \\\n    --no-cache-dir \\\n    -r r.txt\n"
    )
    assert rewritten("mounts", text) == (
        "FROM debian\n"
        "RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \\\n"
        "    --mount=type=cache,target=/var/cache/apt,sharing=locked \\\n"
        "    apt-get update && apt-get install -y \\\n    curl\n"
        "RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip install \\\n    -r r.txt\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "FROM debian\nUSER app\nRUN pip install flask\n",
        "FROM debian\nENV PIP_NO_CACHE_DIR=1\nRUN pip install flask\n",
        "FROM debian\nENV HOME=/home/x\nRUN pip install flask\n",
        "FROM debian\nRUN --mount=type=cache,target=/c pip install flask\n",
        "FROM debian\nRUN pip install --cache-dir /c flask\n",
        "FROM debian\nRUN apt-get update\n",
        "FROM debian\nRUN make\n",
        "# syntax=docker/dockerfile:1.0\nFROM debian\nRUN pip install flask\n",
    ],
)
def test_no_mount_where_it_would_not_be_used(text: str) -> None:
    assert rewritten("mounts", text) is None


def test_the_program_runs_as_nobody() -> None:
    text = 'FROM debian\nRUN make\n\n# how it starts\nEXPOSE 80\nCMD ["x"]\n'
    assert rewritten("user", text) == (
        'FROM debian\nRUN make\n\nUSER nobody\n# how it starts\nEXPOSE 80\nCMD ["x"]\n'
    )
    assert rewritten("user", "FROM debian\nRUN make\nUSER 1000\n") is None
    base = Base(user="app")
    assert rewritten("user", "FROM debian\nRUN make\n", base=lambda _: base) is None


def test_every_base_gets_its_digest_and_stages_do_not() -> None:
    text = "FROM --platform=linux/amd64 python:3.11 AS a\nFROM a\nFROM scratch\nFROM d@sha256:1\n"
    assert rewritten("digest", text) == text.replace("python:3.11", f"python:3.11@{DIGEST}")
    assert rewritten("digest", "FROM scratch\n") is None
    assert rewritten("digest", "FROM python:3.11\n", base=lambda _: Base()) is None


def test_what_the_context_should_not_hold_is_ignored() -> None:
    text = "FROM scratch\nCOPY . /\n"
    files = (".git/HEAD", "a/__pycache__/x.pyc", ".venv/pyvenv.cfg", "Dockerfile", "app.py")
    proposal = RULES["ignore"](situation(text, *files, ignore="*.log"))
    assert proposal is not None
    assert proposal.ignore == ("*.log\n.git\n**/__pycache__\n.venv\nDockerfile*\n.dockerignore\n")
    assert proposal.text is None
    assert "version-control" in proposal.effects.files


def test_without_a_broad_copy_there_is_nothing_to_ignore() -> None:
    assert RULES["ignore"](situation("FROM scratch\nCOPY a /\n", ".git/HEAD", "a")) is None
    assert RULES["ignore"](situation("FROM scratch\nCOPY . /\n", "a")) is None


def test_advice_names_what_no_build_can_prove() -> None:
    text = (
        "FROM python\nENV API_TOKEN=x\nRUN apt-get update && apt-get upgrade -y && "
        "apt-get install -y gcc\n"
    )
    rules = [one.rule for one in advise(situation(text, ".env", "id_rsa", "a.pub"))]
    assert rules == ["secret-files", "secret-files", "base-tag", "secret-variable", "upgrade",
                     "recommends"]  # fmt: skip


@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_rule_stumbles_over_a_strange_file(rule: str) -> None:
    for text in (
        "FROM scratch",
        "FROM scratch\r\nCOPY . /\r\n",
        "ARG V=3\nFROM python:$V\nCOPY . .\nRUN <<E\npip install x\nE\n",
        'FROM x AS a\nFROM a AS b\nCOPY --from=a /x /x\nRUN ["pip", "install", "x"]\n',
        "\ufeffFROM x\nONBUILD RUN pip install x\nRUN pip install 'x\\\n y'\n",
        "FROM x\nADD https://example.org/a.tar.gz /\nADD a.tar.gz /\nRUN apt-get -y update; true\n",
    ):
        proposal = RULES[rule](situation(text, "a.tar.gz", "requirements.txt"))
        if proposal is not None and proposal.text is not None:
            parse_dockerfile(proposal.text)
