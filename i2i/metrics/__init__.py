"""Metrics that come with i2i."""

from i2i import Register, hookimpl


@hookimpl
def register_metrics(register: Register) -> None:
    """Register the built-in metrics."""
    register("l1", "i2i.metrics.pixel:L1", summary="mean absolute difference, 0 to 1")
    register("psnr", "i2i.metrics.pixel:PSNR", summary="peak signal-to-noise ratio in dB")
    register("ssim", "i2i.metrics.pixel:SSIM", summary="structural similarity, up to 1")
