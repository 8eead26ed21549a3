"""The deploy agent: choose, roll out, watch, roll back."""
