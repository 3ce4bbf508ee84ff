"""Translation of image files: what is found, what becomes of each, and what lies in the folder."""
