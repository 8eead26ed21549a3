"""What was built before, per builder."""
