"""Which failure of a build is whose."""

from __future__ import annotations

import pytest

from aipipe_build.run.failure import build_failure, lost_layer
from aipipe_build.run.job import told_first
from aipipe_build.secrets import Mask
from aipipe_build.verify.facts import Fact
from aipipe_core.errors import ExitCode

RUN = Fact(
    "",
    "RUN x",
    cached=False,
    error='process "/bin/sh -c x" did not complete successfully: exit code: 1',
)


@pytest.mark.parametrize(
    ("words", "fact", "slug", "code"),
    [
        (["ERROR: Cannot connect to the Docker daemon at unix:///x."], None, "engine-down", 3),
        (["ERROR: write /x: no space left on device"], None, "engine-disk-full", 3),
        (["ERROR: failed to solve: process did not complete: no space left on device"], RUN, "engine-disk-full", 3),
        (["ERROR: failed to solve: process"], RUN, "build-step-failed", 1),
        (["ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF"], None, "engine-died", 3),
        (["ERROR: failed to solve: Unavailable: closing transport"], None, "engine-died", 3),
        (["ERROR: failed to solve: dockerfile parse error on line 2: unknown instruction: X"], None, "build-refused", 2),
        (['ERROR: invalid tag "A": invalid reference format'], None, "build-refused", 2),
        (["ERROR: failed to solve: x: failed to resolve source metadata for docker.io/library/x"], None, "build-network", 3),
        (["ERROR: failed to solve: failed to push r/x: dial tcp 127.0.0.1:9: connect: connection refused"], None, "build-network", 3),
        (["ERROR: something that nobody foresaw"], None, "build-failed", 3),
        (["ERROR: Cache export is not supported for the docker driver."], None, "builder-unable", 2),
        ([], None, "engine-died", 3),
    ],
)  # fmt: skip
def test_a_failure_is_told_by_what_the_client_said(
    words: list[str], fact: Fact | None, slug: str, code: int
) -> None:
    error = build_failure(words, [fact] if fact else [], mask=Mask([]))
    assert (error.slug, int(error.exit_code)) == (slug, code)
    told = "nothing was recorded" in error.hint.lower()
    assert told or slug in ("engine-down", "builder-unable")


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("unexpected status from HEAD request to http://r/v2/x/manifests/1: 401 Unauthorized", "login"),
        ("unexpected status from HEAD request to http://r/v2/x/manifests/1: 403 Forbidden", "login"),
        ("pull access denied, repository does not exist or may require authorization", "login"),
        ("r/x:1: not found", "name and tag"),
        ("unexpected status from HEAD request to http://r/v2/x/manifests/1: 500 Internal Server Error", "Try again"),
    ],
)  # fmt: skip
def test_a_registry_that_refuses_is_told_from_one_that_stumbles(said: str, hint: str) -> None:
    words = [f"ERROR: failed to solve: r/x:1: failed to resolve source metadata for r/x:1: {said}"]
    error = build_failure(words, [], mask=Mask([]))
    assert (error.slug, int(error.exit_code)) == ("build-network", 3)
    assert hint in error.hint
    assert said in str(error)


def test_a_signal_is_an_end_in_the_middle() -> None:
    error = build_failure([], [], mask=Mask([]), signal=9)
    assert (error.slug, error.exit_code) == ("engine-died", ExitCode.SURROUNDINGS)
    assert "signal 9" in str(error)


def test_what_failed_is_told_without_its_secrets() -> None:
    fact = Fact("", "RUN login hush-hush", cached=False, error=RUN.error)
    assert "hush-hush" not in str(
        build_failure(["ERROR: hush-hush"], [fact], mask=Mask(["hush-hush"]))
    )


LOST = (
    'ERROR: failed to solve: failed to prepare extraction snapshot "extract-1 sha256:05ce": '
    "parent snapshot sha256:e3ad does not exist: not found"
)


def test_a_layer_that_the_engine_lost_is_known_from_a_file_that_is_not_there() -> None:
    missing = "ERROR: failed to solve: failed to compute cache key: /nothing: not found"
    assert lost_layer([LOST], [])
    assert lost_layer([], [Fact("", "RUN x", cached=False, error=LOST)])
    assert not lost_layer([missing], [RUN])


def test_a_second_try_says_nothing_of_what_the_first_has_run() -> None:
    first = [Fact("", "COPY a /a", cached=False), RUN]
    again = [Fact("", "COPY a /a", cached=True), Fact("", "RUN x", cached=False)]
    assert told_first(first, again) == [first[0], again[1]]


def test_a_second_try_tells_steps_that_say_the_same_apart() -> None:
    cached, ran = (Fact("", "RUN x", cached=one) for one in (True, False))
    assert told_first([cached, ran], [cached, cached]) == [cached, ran]
