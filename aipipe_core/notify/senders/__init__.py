"""Ways to say something, one module each."""
