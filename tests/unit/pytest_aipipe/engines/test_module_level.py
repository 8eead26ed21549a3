"""A module that is a script is run as one, whether or not it was imported before."""

from __future__ import annotations

from typing import Any

from pytest_aipipe.engines.techniques.module_level import ModuleLevel


def test_an_imported_module_is_forgotten_before_it_runs_as_a_script(world: Any) -> None:
    here = world("def main():\n    return 1\n\nif __name__ == '__main__':\n    main()\n")
    situation = here.situation("<module>", "    main()")

    made = [one for batch in ModuleLevel().propose(situation) for one in batch]

    scripts = [one for one in made if "run_name='__main__'" in one.function]
    assert scripts
    for one in scripts:
        forgotten, run = one.function.index("delitem(sys.modules, 'shop'"), "runpy.run_module"
        assert forgotten < one.function.index(run)
        assert "import sys" in one.prelude
