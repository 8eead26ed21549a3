"""Builds through buildx: what is started, what it says, what is made of its end."""
