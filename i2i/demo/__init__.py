"""The web page of `i2i demo`: users draw and a model translates. Needs the extra `demo`."""
