"""The commands that show and tell: their arguments and their answers."""
