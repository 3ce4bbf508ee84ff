"""Studies: train variants of one recipe, evaluate them in the same way and compare the results."""
