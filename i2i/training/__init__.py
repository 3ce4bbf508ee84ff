"""Training: the loop, the engine under it, checkpoints and logs."""
