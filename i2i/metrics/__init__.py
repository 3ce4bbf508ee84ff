"""The built-in metrics."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_metrics(register: Register) -> None:
    """Register the built-in metrics."""
    register("fid", "i2i.metrics.fid:FID", summary="Fréchet Inception distance, 0 or more")
    register(
        "fid_inf",
        "i2i.metrics.fid:FIDInfinity",
        summary="FID extrapolated to infinitely many outputs",
    )
    register(
        "kid",
        "i2i.metrics.kid:KID",
        summary="kernel Inception distance, unbiased, also for small sets",
    )
    register("fd", "i2i.metrics.fid:FD", summary="Fréchet distance of features of a timm model")
    register("kd", "i2i.metrics.kid:KD", summary="kernel distance of features of a timm model")
    register("lpips", "i2i.metrics.perceptual:LPIPS", summary="perceptual distance, 0 or more")
    register("l1", "i2i.metrics.pixel:L1", summary="mean absolute difference, 0 to 1")
    register("l2", "i2i.metrics.pixel:L2", summary="mean squared difference, 0 to 1")
    register("psnr", "i2i.metrics.pixel:PSNR", summary="peak signal-to-noise ratio in dB")
    register("ssim", "i2i.metrics.pixel:SSIM", summary="structural similarity, at most 1")
    register(
        "seg_score",
        "i2i.metrics.segmentation:SegScore",
        summary="accuracy of a segmentation network on photos translated from label maps, 0 to 1",
    )
    register(
        "ms_ssim",
        "i2i.metrics.pixel:MSSSIM",
        summary="multi-scale structural similarity, at most 1",
    )
    register(
        "lab_histogram",
        "i2i.metrics.colour:LabHistogram",
        summary="overlap of output and target colour histograms, 0 to 1",
    )
