"""The use cases around a run: train, resume, load, evaluate."""
