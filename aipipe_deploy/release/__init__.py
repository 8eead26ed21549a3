"""The release: from a plan to done, or back; killed at any moment and taken up again."""
