"""Training methods: which networks there are, what each sees and which loss each minimises."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_methods(register: Register) -> None:
    """Register the built-in methods."""
    register(
        "pix2pix",
        "i2i.methods.pix2pix:Pix2Pix",
        summary="conditional GANs on pairs (Isola et al., CVPR 2017)",
    )
