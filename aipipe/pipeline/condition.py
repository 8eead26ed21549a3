"""Whether a stage's ``when`` holds for a change; the answer is a reason in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aipipe_core.change.exclude import is_excluded

if TYPE_CHECKING:
    from collections.abc import Collection

    from aipipe.analyze import Analysis
    from aipipe.pipeline.model import When


def against(when: When, analysis: Analysis) -> str:
    """Return why the stage is passed by; empty where everything that it asks holds."""
    route, level = analysis.route, analysis.risk.level
    if when.risk and level not in when.risk:
        return f"the risk is {level}, and it runs at {_either(when.risk)}"
    if when.kinds and not set(when.kinds) & {str(kind) for kind in analysis.change.kinds}:
        return f"nothing of {_either(when.kinds)} changed"
    if when.paths and not _touched(when.paths, analysis):
        return f"no file changed that {_either(when.paths)} names"
    if when.tests and route.tests not in when.tests:
        return f"the route's tests are {route.tests}, and it runs at {_either(when.tests)}"
    if when.build and route.build not in when.build:
        return f"the route's build is {route.build}, and it runs at {_either(when.build)}"
    return ""


def _touched(globs: Collection[str], analysis: Analysis) -> bool:
    changed = analysis.change.files
    paths = {path for file in changed for path in (file.path, file.old_path) if path}
    return any(is_excluded(path, globs) for path in paths)


def _either(values: Collection[str]) -> str:
    *most, last = values
    return f"{', '.join(most)} or {last}" if most else last
