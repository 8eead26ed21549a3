"""Known vulnerabilities: what is installed, what is known of it, and whether that may pass."""
