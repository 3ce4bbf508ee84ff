"""Runs: train, resume, load and evaluate a model."""
