from __future__ import annotations

from pytest_aipipe.compare.files import file_name, module_text, named
from pytest_aipipe.generate.model import Candidate
from pytest_aipipe.generate.request import Naming

CANDIDATE = Candidate(
    "varied",
    "test_area",
    "def test_area(capsys):\n    with pytest.raises(ValueError):\n        area(re.I)\n",
    ("from shapes import area", "import pytest", "import re", "import os", "def help():\n    pass"),
)


def test_a_file_says_what_it_is_and_imports_what_it_uses_in_the_usual_order() -> None:
    assert module_text(CANDIDATE, "# why\n") == (
        "# why\n\nimport re\n\nimport pytest\nfrom shapes import area\n\n\n"
        "def help():\n    pass\n\n\n" + CANDIDATE.function
    )


def test_the_test_is_called_as_the_project_collects_tests() -> None:
    naming = Naming(files=("check_*.py",), functions=("check",))
    made = named(CANDIDATE, "test_area raises!", naming)
    assert made.function.startswith("def check_test_area_raises_(capsys):")
    assert file_name("shapes area", naming) == "check_shapes_area.py"
    assert file_name("shapes", Naming(files=("*",))) == "test_shapes.py"
