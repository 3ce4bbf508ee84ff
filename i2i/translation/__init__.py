"""Translation of image files into a folder, which records what was translated and how."""
