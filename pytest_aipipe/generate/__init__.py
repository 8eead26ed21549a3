"""Generate: candidates for the gaps that the selected tests leave."""
