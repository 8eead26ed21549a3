"""Pre-flight: what is here, what is missing, what to do."""

from aipipe.doctor.checks import examine
from aipipe.doctor.finding import Finding

__all__ = ["Finding", "examine"]
