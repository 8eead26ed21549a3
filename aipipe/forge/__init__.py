"""The forge: where a run's answer meets its reviewers, on GitHub or GitLab.

A run never fails because of a forge. Whatever goes wrong there is a finding.
"""

from __future__ import annotations

from aipipe.forge.model import Annotation, Forge, State, Status, Told
from aipipe.forge.surroundings import Place, forge_for, place_of

__all__ = ["Annotation", "Forge", "Place", "State", "Status", "Told", "forge_for", "place_of"]
