"""`python -m i2i`, which torchrun needs."""

from i2i.cli import main

main()
