"""The machine and the process: files, caches, devices, memory, signals, progress."""
