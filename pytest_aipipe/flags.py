"""The flags and their ini twins: all that a pytest start without ``--ai-diff`` needs of us.

Standard library and pytest only, and no dataclass: making one costs a part of a millisecond,
which every pytest start of every user would pay. The values are :mod:`pytest_aipipe.options`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

REPORTS = ("term", "json", "md", "html", "sarif", "gitlab", "cobertura", "github")
OFF = ("off", "false", "no", "0")

QUARANTINE = "aipipe_quarantine"
QUARANTINE_HELP = (
    f"{QUARANTINE}(reason, since, steady_after): a flaky test that runs and cannot fail the "
    "session until it passed so many times in a row"
)

_TABLE: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "diff",
        {
            "nargs": "?",
            "const": "",
            "metavar": "SPEC",
            "help": "test what a change changed. No SPEC: merge base with the default branch, "
            "to the working tree; REV; A..B; A...B; staged; worktree",
        },
    ),
    (
        "report",
        {
            "action": "append",
            "metavar": "TYPE[:DEST]",
            "help": f"report as {', '.join(REPORTS)}; repeatable (default: term)",
        },
    ),
    (
        "engine",
        {"metavar": "LIST", "help": "auto (default), local, llm, none; a comma list is an order"},
    ),
    (
        "budget",
        {
            "metavar": "SECONDS",
            "help": "time for generation over the whole change (default: 60)",
        },
    ),
    (
        "write",
        {
            "nargs": "?",
            "const": "",
            "metavar": "DIR",
            "help": "keep the admitted tests: beside the tests they belong to, or in DIR",
        },
    ),
    (
        "fail-under",
        {
            "metavar": "PCT",
            "help": "fail when changed-line coverage with the admitted tests is below PCT",
        },
    ),
    ("behavior", {"metavar": "on/off", "help": "compare base and head (default: on)"}),
    (
        "behavior-accept",
        {
            "nargs": "?",
            "const": "",
            "metavar": "NAME",
            "help": "make tests of head's behaviour of the catching tests, of all or of NAME",
        },
    ),
    ("select", {"metavar": "on/off", "help": "run only affected tests (default: on)"}),
    ("flaky-reruns", {"metavar": "N", "help": "reruns of a suspect (default: 10)"}),
    (
        "flaky-hunt",
        {
            "nargs": "?",
            "const": "on",
            "metavar": "MINUTES",
            "help": "look for flaky tests after the run and explain them by experiment; "
            "with or without --ai-diff",
        },
    ),
    (
        "flaky-fix",
        {
            "nargs": "?",
            "const": "on",
            "metavar": "on/off",
            "help": "write the mends of flaky tests that were proven, and quarantine the others",
        },
    ),
    (
        "sandbox",
        {"metavar": "auto/require/off", "help": "isolation of generated code (default: auto)"},
    ),
    (
        "send",
        {
            "metavar": "none/signatures/diff",
            "help": "what may leave for a model, where one is set up (default: diff)",
        },
    ),
    (
        "max-cost",
        {"metavar": "RUN[/DAY]", "help": "dollars that a model may cost (default: no cap)"},
    ),
    (
        "max-tokens",
        {"metavar": "RUN[/DAY]", "help": "tokens that a model may take (default: no cap)"},
    ),
)


def register(parser: pytest.Parser) -> None:
    """Add the table to pytest's parser, each option with an ini twin."""
    group = parser.getgroup("aipipe", "tests for a change")
    for name, settings in _TABLE:
        ini = "ai_" + name.replace("-", "_")
        group.addoption(f"--ai-{name}", dest=ini, default=None, **settings)
        kind: Any = "linelist" if name == "report" else "string"
        parser.addini(ini, f"as --ai-{name}: {settings['help']}", type=kind, default=None)


def asked_for(config: pytest.Config) -> bool:
    """Whether ``--ai-diff`` or its ini twin turns us on. Cheap: every pytest start asks."""
    return _is_on(config, "ai_diff")


def hunts(config: pytest.Config) -> bool:
    """Whether ``--ai-flaky-hunt`` or its ini twin asks for a hunt."""
    return _is_on(config, "ai_flaky_hunt")


def _is_on(config: pytest.Config, name: str) -> bool:
    known = config.known_args_namespace
    if known.help or known.version:
        return False
    flag = getattr(known, name, None)
    if flag is not None:
        return name == "ai_diff" or flag.strip().lower() not in OFF
    twin = config.getini(name)
    return isinstance(twin, str) and twin.strip().lower() not in ("", *OFF)
