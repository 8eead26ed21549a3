"""Commands are values: what buildx is started with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_build.options import make_parser, parse_options
from aipipe_build.run.argv import Reproducible, build_command, tag_command

if TYPE_CHECKING:
    from aipipe_build.run.argv import Command


def command(*words: str, reproducible: Reproducible | None = None) -> Command:
    return build_command(
        parse_options(make_parser("run", ""), [*words, "ctx"]),
        builder="default",
        context=Path("ctx"),
        dockerfile=Path("ctx/Dockerfile"),
        metadata=Path("/m.json"),
        reproducible=reproducible,
    )


def test_docker_builds_own_options_are_passed_on_as_they_are() -> None:
    made = command(
        "--tag=a:1", "-t", "b:2", "--target", "web", "--secret=id=x,env=Y", "--push",
        "--cache-from=type=registry,ref=r", "--cache-to", "type=local,dest=c", "--no-cache",
        "--platform=linux/amd64,linux/arm64", "--ssh=default", "--label=k=v",
    )  # fmt: skip
    assert made.argv[:4] == ("docker", "buildx", "build", "--progress=rawjson")
    assert made.argv[-1] == "ctx"
    for word in (
        "--builder=default", "--file=ctx/Dockerfile", "--metadata-file=/m.json", "--tag=a:1",
        "--tag=b:2", "--target=web", "--secret=id=x,env=Y", "--push=true", "--no-cache=true",
        "--cache-from=type=registry,ref=r", "--cache-to=type=local,dest=c", "--label=k=v",
        "--platform=linux/amd64,linux/arm64", "--ssh=default",
    ):  # fmt: skip
        assert word in made.argv


def test_progress_and_result_files_are_ours() -> None:
    made = command("--progress=plain", "--iidfile=i", "--metadata-file=m", "--quiet")
    words = [word for word in made.argv if word.startswith(("--progress", "--iid", "--q"))]
    assert words == ["--progress=rawjson"]
    assert "--metadata-file=m" not in made.argv


def test_an_argument_with_a_secrets_name_goes_through_the_environment() -> None:
    made = command("--build-arg=NPM_TOKEN=hush", "--build-arg=VERSION=1")
    assert made.environ == {"NPM_TOKEN": "hush"}
    assert "--build-arg=NPM_TOKEN" in made.argv
    assert "--build-arg=VERSION=1" in made.argv
    assert "hush" not in " ".join(made.argv)


def test_an_argument_never_sets_what_the_client_itself_reads() -> None:
    made = command("--build-arg=DOCKER_AUTH_CONFIG=x", "--build-arg=AWS_SECRET_ACCESS_KEY=y")
    assert made.environ == {}


def test_a_reproducible_image_goes_through_an_archive_with_one_time_for_all() -> None:
    made = command("--load", "-t", "a", reproducible=Reproducible(1, Path("/x.tar")))
    assert made.environ == {"SOURCE_DATE_EPOCH": "1"}
    assert "--output=type=docker,rewrite-timestamp=true,dest=/x.tar" in made.argv
    assert "--provenance=false" in made.argv
    assert "--load=true" not in made.argv
    pushed = command("--push", "-t", "a", reproducible=Reproducible(1))
    assert "--output=type=registry,rewrite-timestamp=true" in pushed.argv


def test_an_image_is_tagged_by_its_digest() -> None:
    assert tag_command("sha256:1", "a:2").argv == ("docker", "tag", "sha256:1", "a:2")
