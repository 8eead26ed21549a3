"""The past of a repository: every commit in order, who wrote each line, what was mended later."""
