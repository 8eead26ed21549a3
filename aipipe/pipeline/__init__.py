"""The pipeline: which stages a run has, what each waits for, and when it is left out."""

from aipipe.pipeline.load import load_pipeline
from aipipe.pipeline.model import Pipeline, Stage

__all__ = ["Pipeline", "Stage", "load_pipeline"]
