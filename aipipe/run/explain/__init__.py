"""Why a stage failed: what its output says, and the hunk of the change most likely at fault."""

from aipipe.run.explain.explain import Explanation, explain

__all__ = ["Explanation", "explain"]
