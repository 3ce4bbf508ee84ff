"""Evaluation: computes metrics on the translations of a split or on folders of images."""
