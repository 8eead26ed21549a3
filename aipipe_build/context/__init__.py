"""A build context as BuildKit hashes it."""
