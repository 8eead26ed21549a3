"""From what a run showed to a test that asserts it: repair, shrink, assert."""
