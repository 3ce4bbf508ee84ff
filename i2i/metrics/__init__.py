"""Metrics that come with i2i."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_metrics(register: Register) -> None:
    """Register the built-in metrics."""
    register("fid", "i2i.metrics.fid:FID", summary="Fréchet Inception distance, from 0")
    register(
        "fid_inf",
        "i2i.metrics.fid:FIDInfinity",
        summary="FID extrapolated to infinitely many outputs",
    )
    register(
        "kid",
        "i2i.metrics.kid:KID",
        summary="kernel Inception distance, unbiased: the one for small sets",
    )
    register("fd", "i2i.metrics.fid:FD", summary="Fréchet distance on a timm backbone")
    register("kd", "i2i.metrics.kid:KD", summary="kernel distance on a timm backbone")
    register("lpips", "i2i.metrics.perceptual:LPIPS", summary="perceptual distance, from 0")
    register("l1", "i2i.metrics.pixel:L1", summary="mean absolute difference, 0 to 1")
    register("l2", "i2i.metrics.pixel:L2", summary="mean squared difference, 0 to 1")
    register("psnr", "i2i.metrics.pixel:PSNR", summary="peak signal-to-noise ratio in dB")
    register("ssim", "i2i.metrics.pixel:SSIM", summary="structural similarity, up to 1")
    register(
        "seg_score",
        "i2i.metrics.segmentation:SegScore",
        summary="how well a segmentation network reads translated photos; label maps to photos",
    )
    register("ms_ssim", "i2i.metrics.pixel:MSSSIM", summary="multi-scale structural similarity")
    register(
        "lab_histogram",
        "i2i.metrics.colour:LabHistogram",
        summary="how far the outputs' colours are as frequent as the targets', 0 to 1",
    )
