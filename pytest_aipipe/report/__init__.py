"""Report: what a session found, as one value and its renderings."""
