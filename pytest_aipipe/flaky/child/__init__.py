"""What runs inside a child pytest: one laboratory, each trial in a fork of its own."""
