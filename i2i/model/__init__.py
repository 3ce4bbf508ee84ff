"""A trained model: its file, and the translation of images of any size."""
