"""Select: which tests a change can affect."""
