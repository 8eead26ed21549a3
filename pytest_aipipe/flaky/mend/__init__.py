"""Mends: patches for causes that have a known one, each proven by reruns before it is offered."""
