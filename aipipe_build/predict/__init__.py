"""What the cache will do, step by step, and why."""
