"""Flaky tests: found by a sequential test, explained by experiment, mended or quarantined."""
