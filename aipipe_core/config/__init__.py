"""Configuration: one table of settings, read from file, environment and flags."""

from aipipe_core.config.load import load, room_table
from aipipe_core.config.settings import Settings, Source, keys

__all__ = ["Settings", "Source", "keys", "load", "room_table"]
