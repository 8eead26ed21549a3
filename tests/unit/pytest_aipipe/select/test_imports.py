from __future__ import annotations

import pytest

from pytest_aipipe.select.imports import read_imports


def test_every_form_of_import_is_seen_wherever_it_stands() -> None:
    found = read_imports(
        b"import a.b\nfrom c import d, e as f\n\ndef g():\n    import h\n\nif h: from . import i\n"
    )
    assert found.names == {"a.b", "c", "c.d", "c.e", "h"}
    assert found.relative == {(1, "i"), (1, "")}
    assert not found.dynamic


def test_a_constant_name_given_to_an_importer_is_an_import() -> None:
    found = read_imports(b"import importlib\nimportlib.import_module('a.b')\n")
    assert "a.b" in found.names
    assert not found.dynamic


@pytest.mark.parametrize(
    "code",
    ["__import__(name)", "importlib.import_module(f'.{x}', p)", "pkgutil.iter_modules()", "def ("],
)
def test_what_cannot_be_told_from_the_text_is_dynamic(code: str) -> None:
    assert read_imports(code.encode()).dynamic


@pytest.mark.parametrize("code", ["import subprocess", "def test(pytester): pass", "os.system(x)"])
def test_what_starts_programs_is_spawning(code: str) -> None:
    assert read_imports(code.encode()).spawning


def test_looking_at_the_running_interpreter_is_noted() -> None:
    assert read_imports(b"import sys\nrun([sys.executable])").runs_python


def test_a_string_that_reads_like_a_module_counts_as_one() -> None:
    assert "pkg.mod.f" in read_imports(b"mock.patch('pkg.mod.f')\n").names
