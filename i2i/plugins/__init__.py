"""Plugins: found, registered, and built from the keys of a recipe."""
