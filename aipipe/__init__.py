"""The orchestrator: risk, route, pipeline."""
