"""Prediction against fact."""
