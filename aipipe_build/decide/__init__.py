"""How much of a build a change deserves."""
