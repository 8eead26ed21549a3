"""The session: the visible list of steps of ``pytest --ai-diff``."""
