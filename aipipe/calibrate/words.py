"""Each measure in words, as a reason reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTS = {
    "lines_added": "{n} lines added in all",
    "lines_removed": "{n} lines removed in all",
    "code_added": "{n} new lines of the product's code",
    "code_removed": "{n} lines of the product's code are gone",
    "code_moved": "{n} lines were only moved or indented",
    "comments": "{n} lines are comments, imports or blank",
    "files": "{n} files of the product are touched",
    "all_files": "{n} files are touched in all",
    "folders": "the product is touched in {n} folders",
    "new_files": "{n} new files of the product",
    "hunks": "the change is in {n} places",
    "longest_hunk": "the longest new piece has {n} lines",
    "functions": "{n} functions or classes are touched",
    "tests_added": "{n} lines of tests came with it",
    "branches_added": "{n} new decisions in the code",
    "branches_grown": "{n} more decisions in the code than before",
    "public_added": "{n} new public names",
    "public_changed": "{n} public definitions changed or went",
    "raises": "{n} new lines raise or handle errors",
    "concurrency": "{n} new lines are about concurrency",
    "payment": "{n} new lines are about money",
    "message_length": "the message has {n} characters",
    "subject_length": "the subject has {n} characters",
    "file_commits": "the busiest touched file had {n} commits before",
    "file_recent": "its busiest file had about {n} commits in the last months",
    "file_fixes": "the most mended touched file was fixed {n} times before",
    "file_mended": "its files were fixed about {n} times in the last months",
    "file_faulty": "about {n} faulty changes were found in its files in the last months",
    "file_authors": "{n} people worked on one of its files",
    "file_age": "its files are {n} days old",
    "file_quiet": "its files were untouched for {n} days",
    "file_length": "the longest touched file has {n} lines",
    "line_age": "the touched lines are {n} days old",
    "line_youngest": "the youngest touched line is {n} days old",
    "line_commits": "the touched lines come from {n} commits",
    "author_commits": "its author has {n} commits here so far",
    "author_recent": "its author made about {n} commits in the last months",
    "author_here": "its author has {n} commits in these folders",
    "author_days": "its author came {n} days ago",
    "author_away": "its author's last commit was {n} days ago",
    "project_pace": "the project had about {n} commits in the last months",
    "project_age": "the project is {n} days old",
}
_SHARES = {
    "file_own": "{p} of its files' commits are its author's",
    "file_fault_rate": "changes to its files were faulty at a rate of {p} lately",
    "lines_recent": "{p} of the touched lines changed within the last month",
    "lines_own": "{p} of the touched lines are its author's own",
    "lines_faulty": "{p} of the touched lines come from changes that were faulty",
    "author_faults": "{p} of its author's changes needed a fix so far",
    "project_fault_rate": "{p} of this project's changes needed a fix lately",
    "project_fix_rate": "{p} of this project's changes were fixes lately",
}
_FLAGS = {
    "no_code": ("no line of the product's code changed", "the product's code changed"),
    "tests_missing": ("code was added and no test", "tests came along, or no code was added"),
    "python": ("Python code changed", "no Python code changed"),
    "lines_known": ("the touched lines have a past", "no line with a past is touched"),
    "kind_migration": ("a database migration", "no migration"),
    "kind_authentication": ("authentication is touched", "authentication is not touched"),
    "kind_dependencies": ("dependencies are touched", "dependencies are as they were"),
    "kind_configuration": ("configuration is touched", "configuration is as it was"),
    "kind_docker": ("the image's recipe is touched", "the image's recipe is as it was"),
    "kind_ci": ("the CI pipeline is touched", "the CI pipeline is as it was"),
    "kind_tests": ("tests are touched", "no test is touched"),
    "kind_docs": ("documentation is touched", "no documentation is touched"),
    "says_fix": ("it says that it mends something", "it mends nothing, as it says"),
    "says_feature": ("it says that it adds something", "it adds nothing, as it says"),
    "says_refactor": ("it says that it rearranges code", "it rearranges nothing, as it says"),
    "says_tidy": ("it says that it tidies up", "it does not say that it tidies up"),
    "says_bump": ("it says that it raises a version", "it raises no version, as it says"),
    "says_remove": ("it says that it removes something", "it removes nothing, as it says"),
    "says_speed": ("it says that it makes something faster", "it is not about speed"),
    "says_test": ("it says that it is about tests", "it is not about tests"),
    "names_issue": ("its message names an issue", "its message names no issue"),
    "author_bot": ("its author is a program", "its author is a person"),
}
_OTHERS = {
    "entropy": "it is spread over its files with {v:.1f} bits",
    "file_mended_mean": "its files were mended more or less often lately ({v:.1f})",
    "file_faulty_mean": "faults were found in its files more or less often lately ({v:.1f})",
    "file_length_mean": "its files are long or short (on average e^{v:.1f} lines)",
    "project_size": "this project's changes are large or small (e^{v:.1f} lines)",
}


def in_words(name: str, value: float) -> str:
    """Return what the measure's value says."""
    if name in _COUNTS:
        return _counted(_COUNTS[name], max(0, round(math.expm1(value))))
    if name in _SHARES:
        return _SHARES[name].format(p=f"{value:.0%}")
    if name in _FLAGS:
        return _FLAGS[name][0 if value else 1]
    return _OTHERS.get(name, name + " is {v:.2f}").format(v=value)


def _counted(text: str, number: int) -> str:
    said = text.format(n=f"{number:,}")
    if number != 1:
        return said
    for many, one in _ONE.items():
        said = said.replace(f"1 {many}", f"1 {one}")
    return said.replace(" are ", " is ", 1)


_ONE: Mapping[str, str] = {
    "lines": "line",
    "files": "file",
    "folders": "folder",
    "places": "place",
    "commits": "commit",
    "times": "time",
    "days": "day",
    "people": "person",
    "characters": "character",
    "functions or classes": "function or class",
    "new lines": "new line",
    "new files": "new file",
    "new decisions": "new decision",
    "more decisions": "more decision",
    "new public names": "new public name",
    "public definitions": "public definition",
    "faulty changes": "faulty change",
}
