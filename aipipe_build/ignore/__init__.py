"""Which files of a context `.dockerignore` hides."""
