"""Gaps: changed lines and branches that no selected test ran, by symbol."""
