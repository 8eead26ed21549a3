"""The explorer: a forking child pytest in which candidates are tried, and what it saw."""
