"""The model engine: tests for the gaps that the embedded engine leaves, behind the same gate."""
