"""A trained model: its file, and how it translates images of any size."""
