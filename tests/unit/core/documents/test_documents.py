from __future__ import annotations

import copy
import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from aipipe_core.documents import (
    known_schemas,
    load_schema,
    read_document,
    validate,
    write_document,
)
from aipipe_core.errors import AipipeError, RequestError, SurroundingsError

if TYPE_CHECKING:
    from pathlib import Path

# As the contract shows it, every list with one entry.
TESTS: dict[str, Any] = {
    "schema": 1,
    "base": "a" * 40,
    "head": "worktree",
    "change": {"files": [{"path": "a.py", "kind": "code", "changed_lines": [1]}]},
    "selection": {"collected": 2, "selected": 1, "reasons": {"tests/test_a.py::test": "ran a.py"}},
    "coverage": {
        "lines": {"total": 1, "before": 0, "after": 1},
        "branches": {"total": 2, "before": 0, "after": 1},
        "files": {"a.py": {"missing": [1], "missing_branches": [[1, -1]]}},
    },
    "tests": [
        {
            "nodeid": "n",
            "path": "p",
            "engine": "amplify",
            "targets": [{"path": "a.py", "lines": [1]}],
            "status": "admitted",
            "reason": "",
            "mutants": {"total": 2, "killed": 1},
        }
    ],
    "gaps": [{"path": "a.py", "symbol": "f", "lines": [1], "why": "w", "suggestion": "s"}],
    "behavior": [{"symbol": "f", "input": "()", "base": "1", "head": "2", "test": "t"}],
    "flaky": [{"nodeid": "n", "runs": 3, "failures": 1, "cause": "c", "evidence": "e", "fix": "f"}],
    "llm": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cached_tokens": 0, "cost_usd": 0.0},
    "timing": {"select": 0.25},
}


@pytest.mark.parametrize("name", known_schemas())
def test_every_published_schema_is_valid_itself(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:pytest-aipipe:schema:")


def test_the_contract_s_report_is_valid() -> None:
    validate("tests", TESTS)


def test_keys_that_are_not_known_are_accepted() -> None:
    validate("tests", {**TESTS, "more": 1})


def _paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path for key, item in inner for path in ((*at, key), *_paths(item, (*at, key)))]


FREE = {"reasons", "timing", "files"}
KEYS = [
    path
    for path in _paths(TESTS)
    if isinstance(path[-1], str)
    and not (len(path) > 1 and path[-2] in FREE and path[0] != "change")
]


@pytest.mark.parametrize("path", KEYS, ids=lambda path: ".".join(map(str, path)))
def test_no_key_of_the_contract_may_be_missing(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(TESTS)
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    with pytest.raises(AipipeError, match=rf"'{path[-1]}' is a required property") as caught:
        validate("tests", document)
    assert caught.value.slug == "document-invalid"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        (lambda d: d["tests"][0].update(status="maybe"), "/tests/0/status"),
        (lambda d: d.update(schema=2), "/schema"),
        (lambda d: d["change"]["files"][0].update(changed_lines=[0]), "/change/files/0/changed_lines/0"),
        (lambda d: d["coverage"]["files"].update({"x/~y": {"missing": "no", "missing_branches": []}}),
         "/coverage/files/x~1~0y/missing"),
        (lambda d: d["llm"].update(cost_usd="free"), "/llm/cost_usd"),
        (lambda d: d["timing"].update(select=-1), "/timing/select"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_by_its_json_pointer(change: Any, pointer: str) -> None:
    document = copy.deepcopy(TESTS)
    change(document)
    with pytest.raises(AipipeError, match=f"at {pointer}: "):
        validate("tests", document)


def test_a_document_of_another_type_is_refused_as_a_whole() -> None:
    with pytest.raises(AipipeError, match="at the document itself: "):
        validate("tests", [])


def test_an_unknown_document_names_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"findings.*tests.*\[document-unknown\]"):
        validate("nothing", {})


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "1" / "tests.json"
    write_document(path, "tests", TESTS)
    assert read_document(path, "tests") == TESTS
    assert os.listdir(path.parent) == ["tests.json"]


def test_an_invalid_document_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "tests.json"
    write_document(path, "tests", TESTS)
    with pytest.raises(AipipeError):
        write_document(path, "tests", {})
    assert read_document(path, "tests") == TESTS


def test_a_write_that_fails_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tests.json"
    write_document(path, "tests", TESTS)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(
        SurroundingsError, match=r"No space left on device.*\[document-unwritable\]"
    ):
        write_document(path, "tests", {**TESTS, "head": "staged"})
    monkeypatch.undo()
    assert read_document(path, "tests")["head"] == "worktree"
    assert os.listdir(tmp_path) == ["tests.json"]


def test_a_reader_never_sees_half_a_document(tmp_path: Path) -> None:
    path = tmp_path / "tests.json"
    write_document(path, "tests", TESTS)
    long = {
        **TESTS,
        "selection": {**TESTS["selection"], "reasons": {str(n): "x" * 50 for n in range(3000)}},
    }

    def write() -> None:
        for document in (long, TESTS) * 5:
            write_document(path, "tests", document)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        assert json.loads(path.read_bytes())["schema"] == 1
    writer.join()


def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    write_document(link, "tests", TESTS)
    assert link.is_symlink()
    assert read_document(real, "tests") == TESTS


@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (b"", "document-unreadable"),
        (b"{", "document-unreadable"),
        (b"\xff\xfe", "document-unreadable"),
        (b"[" * 100_000, "document-unreadable"),
        (b"{}", "document-invalid"),
        (None, "document-missing"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, data: bytes | None, slug: str) -> None:
    path = tmp_path / "tests.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(AipipeError) as caught:
        read_document(path, "tests")
    assert caught.value.slug == slug
    assert str(path) in str(caught.value)


def test_a_number_that_json_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="document-invalid"):
        write_document(tmp_path / "x.json", "tests", {**TESTS, "extra": float("nan")})
    assert os.listdir(tmp_path) == []
