"""What a person would try first, by the kind of failure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aipipe.run.explain.traces import Trace
    from aipipe.run.process import Ended

_RULES = (
    (
        r"(?:ModuleNotFoundError|ImportError): No module named '([\w.]+)'",
        "Install {0} where the stage runs, or declare it if the change began to use it.",
    ),
    (
        r"ImportError: cannot import name '(\w+)' from '([\w.]+)'",
        "{1} has no {0} any more or not yet: look whether the change renamed or moved it.",
    ),
    (
        r"NameError: name '(\w+)' is not defined",
        "{0} is never defined or imported: a rename missed a place, or an import was lost.",
    ),
    (
        r"AttributeError: (.+?) has no attribute '(\w+)'",
        "Look for a rename of {1} that missed a place.",
    ),
    (
        r"TypeError: (\S+\(\)) (?:missing|takes|got an unexpected)",
        "The call of {0} does not fit its signature: mend the callers or keep the old one.",
    ),
    (r"SyntaxError|IndentationError|TabError", "Mend the syntax; nothing else can be told yet."),
    (r"fixture '(\w+)' not found", "Define the fixture {0}, or install the plugin that has it."),
    (
        r"(?:ConnectionRefusedError|Connection refused|Temporary failure in name resolution)",
        "A service or the network was not there: start it in a stage of its own, or retry once.",
    ),
    (r"(?:No space left on device|ENOSPC)", "Free room on the disk."),
    (r"(?:PermissionError|Permission denied)", "Check the permissions of the file it names."),
    (r"(?:FileNotFoundError|No such file or directory)", "Check the path, and `directory`."),
    (r"AssertionError|^assert ", "Decide which is right, the test's expectation or the change."),
)
_CODES = {
    126: "The command cannot be executed: chmod +x, or name its interpreter.",
    127: "The command was not found: install it, or check the PATH of the stage.",
    137: "Something killed it with SIGKILL, most often for want of memory.",
    -9: "Something killed it with SIGKILL, most often for want of memory.",
    -11: "It crashed in native code (SIGSEGV): look at compiled extensions.",
    139: "It crashed in native code (SIGSEGV): look at compiled extensions.",
}
_NO_TESTS = 5


def suggestions(trace: Trace, ended: Ended, argv: Sequence[str], timeout: float) -> list[str]:
    """Return what to try, the most telling first, at most three things."""
    found = []
    if ended.timed_out:
        found.append(
            f"It was still running after {timeout:g} s: raise `timeout`, or look at the log's "
            "last lines for what it waited for."
        )
    for error in trace.errors:
        for pattern, text in _RULES:
            match = re.search(pattern, error)
            if match:
                found.append(text.format(*match.groups()))
                break
    if ended.code in _CODES:
        found.append(_CODES[ended.code])
    if ended.code == _NO_TESTS and any("pytest" in word for word in argv):
        found.append("pytest found no test (exit code 5): check its arguments and `directory`.")
    return list(dict.fromkeys(found))[:3]
