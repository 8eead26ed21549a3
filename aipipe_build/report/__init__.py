"""What was predicted, what was built, what it saved."""
