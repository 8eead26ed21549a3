"""The run: one execution of a pipeline, kept in a folder of its own, resumable."""
