"""Plugins: the registry of components, and their construction from the keys of a recipe."""
