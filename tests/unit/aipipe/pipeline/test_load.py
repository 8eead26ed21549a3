"""pipeline.yaml: what is taken, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from aipipe.pipeline import Pipeline, load_pipeline
from aipipe.pipeline.load import seconds
from aipipe_core.errors import RequestError


def load(tmp_path: Path, text: str) -> Pipeline:
    path = tmp_path / "pipeline.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_pipeline(path)


def refused(tmp_path: Path, text: str) -> RequestError:
    with pytest.raises(RequestError) as caught:
        load(tmp_path, text)
    return caught.value


def test_text_is_for_the_shell_and_a_list_for_nobody_but_the_program(tmp_path: Path) -> None:
    made = load(tmp_path, "stages: {a: {command: ls | wc}, b: {command: [ls, '-l']}}")
    assert made.stage("a").command == ("/bin/sh", "-ec", "ls | wc")
    assert made.stage("b").command == ("ls", "-l")


def test_stages_come_after_all_that_they_wait_for_and_else_in_the_files_order(
    tmp_path: Path,
) -> None:
    text = """
    stages:
      last: {command: x, depends_on: [second, third]}
      first: {command: x}
      third: {command: x, depends_on: first}
      second: {command: x}
    """
    names = [stage.name for stage in load(tmp_path, text).stages]
    assert names == ["first", "second", "third", "last"]


def test_a_matrix_unfolds_and_who_waits_for_it_waits_for_all_of_it(tmp_path: Path) -> None:
    text = """
    environment: {A: 1}
    stages:
      test:
        command: "py ${matrix.v}"
        matrix: {v: ["3.11", "3.12"], fast: [true]}
        environment: {B: "x${matrix.v}"}
      after: {command: x, depends_on: test}
    """
    made = load(tmp_path, text)
    assert [stage.name for stage in made.stages] == ["test[3.11,true]", "test[3.12,true]", "after"]
    assert made.stages[1].command[-1] == "py 3.12"
    wanted = {"A": "1", "B": "x3.12", "MATRIX_V": "3.12", "MATRIX_FAST": "true"}
    assert made.stages[1].environment == wanted
    assert made.stages[2].depends_on == ("test[3.11,true]", "test[3.12,true]")


@pytest.mark.parametrize(
    ("value", "wanted"), [(90, 90.0), ("90s", 90.0), ("1h30m", 5400.0), ("2m5s", 125.0), (0.5, 0.5)]
)
def test_durations_are_read(value: float | str, wanted: float) -> None:
    assert seconds(value) == wanted


def test_a_deploy_is_watched_rolled_back_and_never_kept(tmp_path: Path) -> None:
    stage = load(tmp_path, "stages: {d: {uses: deploy, strategy: canary, monitor: 30m}}").stage("d")
    assert stage.monitor is not None
    assert (stage.monitor.seconds, stage.on_anomaly.action) == (1800.0, "rollback")
    assert not stage.cache


REFUSED = [
    ("", 1, "pipeline-invalid", "empty"),
    ("- 1\n", 1, "pipeline-invalid", "object"),
    ("stages: {}\n", 1, "pipeline-invalid", "stages"),
    ("stages: [\n", 2, "pipeline-not-yaml", ""),
    ("stages:\n  a:\n    comand: ls\n", 3, "pipeline-unknown-key", "Did you mean 'command'?"),
    ("stages:\n  a: {command: x}\nfoo: 1\n", 3, "pipeline-unknown-key", "'foo'"),
    ("stages:\n  a: {command: x}\n  a: {command: y}\n", 3, "pipeline-key-twice", "line 2"),
    ("stages:\n  a:\n    command: x\n    timeout: soon\n", 4, "pipeline-invalid", "90s, 10m"),
    ("stages:\n  a:\n    command: x\n    timeout: 0s\n", 4, "pipeline-invalid", "timeout"),
    ("stages:\n  a b:\n    command: x\n", 2, "pipeline-invalid", "'a b'"),
    ("stages:\n  a:\n    command: x\n    when: {risk: huge}\n", 4, "pipeline-invalid", "risk"),
    ("stages:\n  a: {}\n", 2, "pipeline-invalid", "either a command or uses"),
    ("stages:\n  a: {command: x, uses: tests}\n", 2, "pipeline-invalid", "one of the two"),
    ("stages:\n  a:\n    command: x\n    strategy: canary\n", 4, "pipeline-invalid", "no deploy"),
    ("stages:\n  a:\n    command: x\n    monitor: 5m\n", 4, "pipeline-invalid", "without a check"),
    ("stages:\n  a:\n    command: x\n    on_anomaly: stop\n", 4, "pipeline-invalid", "no monitor"),
    ("stages:\n  a:\n    command: x\n    arguments: [y]\n", 4, "pipeline-invalid", "no agent"),
    ("stages:\n  a:\n    command: x\n    outputs: [/etc]\n", 4, "pipeline-invalid", "outside"),
    ("stages:\n  a:\n    command: x\n    directory: ../x\n", 4, "pipeline-invalid", "outside"),
    ("stages:\n  a:\n    command: x ${matrix.y}\n", 3, "pipeline-matrix", "${matrix.y}"),
    ("stages:\n  a:\n    command: x\n    matrix: {v: [3.10]}\n", 4, "pipeline-invalid", "3.1"),
    ("stages:\n  aa: {command: x}\n  b:\n    command: x\n    depends_on: a\n", 5,
     "pipeline-unknown-stage", "Did you mean 'aa'?"),
    ("stages:\n  a: &a\n    command: x\n    environment: *a\n", 2, "pipeline-not-yaml", "itself"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "slug", "said"), REFUSED)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str, line: int, slug: str, said: str
) -> None:
    error = refused(tmp_path, text)
    assert (error.slug, error.where) == (slug, f"pipeline.yaml, line {line}")
    assert said in str(error)


def test_a_circle_is_told_with_each_of_its_lines(tmp_path: Path) -> None:
    text = """\
    stages:
      out: {command: x, depends_on: b}
      a:
        command: x
        depends_on: b
      b: {command: x, depends_on: [c]}
      c: {command: x, depends_on: [a]}
    """
    error = refused(tmp_path, text)
    assert error.slug == "pipeline-cycle"
    assert "a (line 5) -> b (line 6) -> c (line 7) -> a" in str(error)


def test_a_stage_that_waits_for_itself_is_a_circle(tmp_path: Path) -> None:
    assert "a (line 1) -> a" in str(refused(tmp_path, "stages: {a: {command: x, depends_on: a}}"))


def test_aliases_cannot_unfold_without_end(tmp_path: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    text = "\n".join(["l0: &l0 [x]", *levels, "stages: {a: {command: x}}"])
    assert "unfold" in str(refused(tmp_path, text))


def test_a_merge_key_shares_what_stages_have_in_common(tmp_path: Path) -> None:
    text = """
    stages:
      a: &a {command: x, timeout: 10m}
      b:
        <<: *a
        command: y
    """
    stage = load(tmp_path, text).stage("b")
    assert (stage.command[-1], stage.timeout) == ("y", 600.0)


@pytest.mark.parametrize(
    ("data", "slug"),
    [(b"\xff\xfe\x00", "pipeline-unreadable"), (b"x" * 1_000_001, "pipeline-unreadable"),
     (b"a: \x00", "pipeline-not-yaml"), (None, "pipeline-missing")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, data: bytes | None, slug: str) -> None:
    path = tmp_path / "p.yaml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(RequestError) as caught:
        load_pipeline(path)
    assert caught.value.slug == slug


def test_too_large_a_matrix_is_refused(tmp_path: Path) -> None:
    values = list(range(20))
    text = f"stages: {{a: {{command: x, matrix: {{a: {values}, b: {values}}}}}}}"
    assert refused(tmp_path, text).slug == "pipeline-matrix"


def test_the_example_is_a_pipeline() -> None:
    path = Path(__file__).parents[4] / "examples" / "orders" / "pipeline.yaml"
    names = [stage.name for stage in load_pipeline(path).stages]
    assert names.index("test") < names.index("build") < names.index("deploy")
