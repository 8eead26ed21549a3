"""Watch and judge whether a new version is worse than the old one beside it.

Pure decision code: counts of requests go in, tick by tick, and one of three verdicts
comes out. ``docs/judge.md`` tells how it decides and from which papers that is.
"""

from __future__ import annotations

from aipipe_deploy.judge.judge import Judge
from aipipe_deploy.judge.settings import JudgeSettings
from aipipe_deploy.judge.tick import Arm, Tick
from aipipe_deploy.judge.verdict import Outcome, Verdict

__all__ = ["Arm", "Judge", "JudgeSettings", "Outcome", "Tick", "Verdict"]
