"""The strategies. In all of them the old version stays warm until the last watch is over."""

from __future__ import annotations

from aipipe_deploy.strategies.model import Act, Per, Step, Strategy

_NEW = (Step(Act.START), Step(Act.READY), Step(Act.JOIN))

ROLLING = Strategy(
    "rolling",
    "one container after the other, service by service",
    Per.REPLICA,
    (*_NEW, Step(Act.SHIFT, to="replica"), Step(Act.WATCH, window="step")),
    (Step(Act.SHIFT, to="all"), Step(Act.WATCH, window="whole")),
)
BLUE_GREEN = Strategy(
    "blue-green",
    "all services at once; a control arm stays with the old version while it is watched",
    Per.RELEASE,
    (
        Step(Act.JOBS),
        *_NEW,
        Step(Act.SHIFT, to="control"),
        Step(Act.WATCH, window="whole"),
        Step(Act.SHIFT, to="all"),
    ),
)
CANARY = Strategy(
    "canary",
    "a few users first, then more, each step watched",
    Per.RELEASE,
    (
        Step(Act.JOBS),
        *_NEW,
        Step(Act.SHIFT, to="canary"),
        Step(Act.SHIFT, to="control"),
        Step(Act.WATCH, window="whole"),
        Step(Act.SHIFT, to="all"),
    ),
)
HOTFIX = Strategy(
    "hotfix",
    "everything to the new version as soon as it is ready, a short watch after that",
    Per.RELEASE,
    (
        Step(Act.JOBS),
        *_NEW,
        Step(Act.SHIFT, to="all"),
        Step(Act.WATCH, window="step"),
    ),
)
FIRST = Strategy(
    "first",
    "nothing serves yet: start, wait until ready, open the door",
    Per.RELEASE,
    (Step(Act.JOBS), *_NEW, Step(Act.SHIFT, to="all")),
)
CATALOGUE = {s.name: s for s in (ROLLING, BLUE_GREEN, CANARY, HOTFIX)}
