"""A page on which people draw and a model translates: `i2i demo`, extra `demo`."""
