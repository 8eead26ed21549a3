"""A small web shop, as one finds them: the subject of the flaky suite."""
