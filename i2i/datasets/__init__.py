"""The built-in data sets."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_datasets(register: Register) -> None:
    """Register the built-in data sets."""
    register(
        "facades",
        "i2i.datasets.facades:Facades",
        summary="CMP facades, label maps and photos, from a folder or the official archive",
    )
    register(
        "folders",
        "i2i.datasets.folders:Folders",
        summary="your own pairs: side by side in one image, or two folders matched by name",
    )
    register(
        "openmoji",
        "i2i.datasets.openmoji:OpenMoji",
        summary="emoji line art and its colouring (CC BY-SA 4.0, extra 'openmoji')",
    )
    register(
        "synthetic",
        "i2i.datasets.synthetic:Synthetic",
        summary="procedural facades, generated on demand without files",
    )
