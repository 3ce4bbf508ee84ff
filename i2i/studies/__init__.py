"""Studies: variants of one recipe trained, measured alike and put side by side."""
