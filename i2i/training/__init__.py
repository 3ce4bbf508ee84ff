"""Training: the loop, the trainer, the engine (devices and processes), checkpoints and logs."""
