"""Measure: which changed lines and branches each test ran."""
