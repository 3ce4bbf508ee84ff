"""The process and its machine: files, locks, downloads, devices, memory, signals, progress."""
