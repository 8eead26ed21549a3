"""Which engines were asked for: names to objects, through the hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_aipipe.options import ENGINES, bad

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from pytest_aipipe.generate.model import Engine


class Embedded:
    """Plugin object: our own engines come in by the hook that anyone's come in by."""

    def pytest_aipipe_engines(self, config: pytest.Config) -> Sequence[Engine]:
        """Return the engines that need no model."""
        from pytest_aipipe.engines import default_engines

        del config
        return default_engines()


EMBEDDED = "aipipe-embedded"


def offered(config: pytest.Config) -> tuple[list[Engine], list[Engine]]:
    """Return our own engines, and those of conftests and other plugins."""
    hook = config.hook.pytest_aipipe_engines
    ours = config.pluginmanager.getplugin(EMBEDDED)
    local = list(ours.pytest_aipipe_engines(config)) if ours else []
    others = config.pluginmanager.subset_hook_caller(hook.name, [ours] if ours else [])
    foreign = [engine for some in reversed(others(config=config)) for engine in some or ()]
    return local, foreign


def check_engines(config: pytest.Config, names: Sequence[str]) -> None:
    """Raise a usage error for a name that no engine has."""
    if all(name in ENGINES for name in names):
        return
    known = [engine.name for engine in offered(config)[1]]
    for name in names:
        if name not in (*ENGINES, *known):
            hint = f"Choose {', '.join(dict.fromkeys((*ENGINES, *known)))}."
            raise bad("unknown-engine", f"--ai-engine={name} is unknown", hint)


def chosen(
    config: pytest.Config, names: Sequence[str], model: Engine | None = None
) -> list[Engine]:
    """Return the engines that ``names`` ask for, in that order; [] for ``none``.

    ``model`` is the one called ``llm``, and the last of ``auto``.
    """
    if tuple(names) == ("none",):
        return []
    local, foreign = offered(config)
    engines: list[Engine] = []
    for name in names:
        if name in ("auto", "local"):
            engines += local
        if name == "auto":
            engines += foreign
        if name in ("auto", "llm") and model is not None:
            engines.append(model)
        engines += [engine for engine in foreign if engine.name == name]
    return list({id(engine): engine for engine in engines}.values())


def gate_rules(config: pytest.Config) -> list[Any]:
    """Return the gate rules that conftests and plugins add, in the order of registration."""
    answers = config.hook.pytest_aipipe_gate(config=config)
    return [rule for some in reversed(answers) for rule in some or ()]
