"""Test source as values: expressions, imports, existing tests taken apart, candidates."""
