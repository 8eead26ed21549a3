"""Risk: how probable it is that a change will need a fix, with the reasons in words."""

from aipipe.risk.features import Feature
from aipipe.risk.score import Risk, assess

__all__ = ["Feature", "Risk", "assess"]
