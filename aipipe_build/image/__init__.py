"""What an image holds: its layers, its files, its packages, its configuration."""
