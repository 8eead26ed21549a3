"""The gate: what a test must pass before it is admitted, each rule with its reason."""
