"""The techniques of the embedded engine, one module each."""
