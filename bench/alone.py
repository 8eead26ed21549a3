"""A pytest plugin with one engine for each technique, for a bench that tries them alone.

python -m pytest -p bench.alone --ai-diff --ai-engine=only-carve
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_aipipe.generate.model import Engine


def names() -> list[str]:
    """Return the names of the techniques, in their order."""
    from pytest_aipipe.engines.local import techniques

    return [one.name for one in techniques()]


def pytest_aipipe_engines(config: pytest.Config) -> Sequence[Engine]:
    """Return an engine ``only-<technique>`` for each."""
    from pytest_aipipe.engines.local import LocalEngine, techniques

    del config
    found = []
    for technique in techniques():
        engine = LocalEngine([technique])
        engine.name = f"only-{technique.name}"
        found.append(engine)
    return found
