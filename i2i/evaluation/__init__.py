"""Evaluation: translations of a split, or folders of images, and what metrics say of them."""
