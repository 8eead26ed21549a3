"""Learning risk from history: which changes were mended later, and what they had in common."""
