"""Admitted tests as files that a maintainer would merge."""
