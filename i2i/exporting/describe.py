"""The description in an exported file: everything needed to use the file without i2i."""

import json
from dataclasses import asdict
from typing import Any

from i2i.exporting.program import INPUT, OUTPUT, Traced
from i2i.images.sizes import size_text
from i2i.images.spec import ImageSpec
from i2i.model.model import Model
from i2i.system.version import __version__

KEY = "i2i"
"""The name of the description: the key in ONNX metadata, and `i2i.json` in torch.export files."""


def description(model: Model, traced: Traced[Any], *, int8: bool = False) -> str:
    """Return the description as JSON; `docs/export.md` documents the keys."""
    settings = traced.network.settings
    document = {
        "i2i": __version__,
        "name": model.recipe.name,
        "model_sha256": model.sha256,
        "step": model.step,
        "input": {
            **_side(INPUT, model.data.input),
            "to_float": f"x / {_top(model.data.input)} * 2 - 1",
            "size_divisor": traced.size_divisor,
            "fill": "mirrored, below and to the right; cut the output back",
            "smallest": traced.smallest,
            "fixed_size": traced.fixed,
            "background": model.data.input.background,
            "classes": model.data.input.classes,
            "float_range": model.data.input.float_range,
        },
        "output": {
            **_side(OUTPUT, model.data.target),
            "to_uint": f"round((x + 1) / 2 * {_top(model.data.target)}), cut off at 0 and "
            f"{_top(model.data.target)}",
        },
        **asdict(settings),
        "int8": int8,
        "credit": model.data.credit,
        "notice": model.data.notice,
        "recipe": model.recipe.to_toml(),
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def sentence(model: Model, traced: Traced[Any]) -> str:
    """Return a one-sentence description, which model viewers show."""
    settings = traced.network.settings
    noise = f"dropout {'on' if settings.dropout else 'off'}, sample {settings.sample}"
    sizes = f"sides multiples of {traced.size_divisor}"
    if traced.fixed is not None:
        sizes = f"of {size_text(traced.fixed)}"
    return (
        f"'{model.recipe.name}', translates images (N, {model.data.input.channels}, H, W) in "
        f"[-1, 1], {sizes}, to (N, {model.data.target.channels}, H, W) in [-1, 1]; "
        f"{settings.statistics} statistics, {noise}; made by i2i {__version__}, "
        f"which stores all details under '{KEY}' in the metadata. {model.data.credit}"
    ).strip()


def _side(name: str, side: ImageSpec) -> dict[str, Any]:
    return {
        "name": name,
        "layout": "NCHW",
        "dtype": "float32",
        "range": [-1, 1],
        "channels": side.channels,
        "mode": side.mode,
        "depth": side.depth,
    }


def _top(side: ImageSpec) -> int:
    return int(2**side.depth - 1)
