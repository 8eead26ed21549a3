"""Mutate: small faults in the changed lines, and which tests notice them."""
