"""The build agent: predict, decide, build."""
