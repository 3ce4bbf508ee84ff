"""seg-score: how well a segmentation network recognises the label maps in translated photos."""

from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import Tensor

from i2i.errors import DataError
from i2i.images.tensors import to_float
from i2i.metrics.devices import on_device
from i2i.metrics.metric import Metric
from i2i.segmentation.data import resize_classes, resize_photos
from i2i.segmentation.network import find_segmenter, load_segmenter
from i2i.segmentation.scores import confusion, scores
from i2i.system.hashing import file_sha256


class SegScore(Metric):
    """Per-pixel accuracy, in [0, 1], of a segmentation network on translated photos.

    A variant of the FCN-score (Isola et al. 2017, section 4) for any data: `i2i segmenter train`
    trains the network on the training photos and their label maps. The input of each pair is a
    label map; the output and the target are photos. The scores of the targets show the accuracy of
    the network on real photos. `details` has them, the ratios of output and target scores,
    per-class accuracy and class IoU. The FCN-score of the paper uses another network, so its values
    are not comparable with these.

    Images are resized to the size of the network if necessary: photos bicubically (antialiased, in
    float), classes by nearest neighbour.

    Args:
        segmenter: The network: a file, or its name in `i2i segmenter train`.

    Raises:
        WeightsError: If there is no such network.
        CheckpointError: If its file is damaged or is not a segmenter.
    """

    higher_is_better = True
    sees = ("output", "target", "input")

    def __init__(self, *, segmenter: str = "facades") -> None:
        path = find_segmenter(segmenter)
        self._network = load_segmenter(path)
        self._name = path.stem
        self._sha256 = file_sha256(path)
        height, width = self._network.size
        size = f"{height}" if height == width else f"{height}x{width}"
        self.label = f"seg-score[{self._network.encoder}@{size}]"
        self._accuracies = torch.empty(0, dtype=torch.float64)
        classes = len(self._network.labels.names)
        self._outputs = torch.zeros(classes, classes, dtype=torch.int64)
        self._real = torch.zeros(classes, classes, dtype=torch.int64)

    def update(self, *images: Tensor) -> None:
        """Add a batch of outputs, targets and inputs: uint8 or uint16 `(N, C, H, W)`.

        Raises:
            DataError: If the inputs are not label maps, or if outputs or targets have another
                number of channels than the photos that the network was trained on.
        """
        output, target, labels = images
        network, size = on_device(self._network, output.device), self._network.size
        try:
            truth = resize_classes(network.labels.checked(labels), size)
        except DataError as error:
            raise DataError(
                [
                    f"seg_score needs photos that were translated from label maps; the inputs: "
                    f"{problem}"
                    for problem in error.problems
                ]
            ) from error
        for photos in (output, target):
            if photos.shape[1] != network.channels:
                raise DataError(
                    [
                        f"seg_score: images have {photos.shape[1]} channels, but segmenter "
                        f"'{self._name}' was trained on photos with {network.channels}"
                    ]
                )
        found, real = (
            network.classes(resize_photos(to_float(photos), size)) for photos in (output, target)
        )
        self._outputs += confusion(found, truth, len(self._outputs))
        self._real += confusion(real, truth, len(self._real))
        right = (found == truth).flatten(1).cpu().double().mean(dim=1)
        self._accuracies = torch.cat([self._accuracies, right])

    def merge(self, other: Self) -> None:
        """Add the images of another metric, as if they came after this metric's images."""
        self._accuracies = torch.cat([self._accuracies, other._accuracies])
        self._outputs += other._outputs
        self._real += other._real

    def compute(self) -> float:
        """Return the per-pixel accuracy of the outputs.

        Raises:
            DataError: If there were no images.
        """
        if not self._outputs.any():
            raise DataError(["seg_score: needs at least 1 image"])
        return scores(self._outputs).per_pixel

    def bootstrap(self, indices: Tensor) -> Tensor:
        """Compute the per-pixel accuracy `(B,)` of the outputs on bootstrap samples `(B, n)`.

        All images have one size here, so it is the mean of the accuracies of the images.
        """
        return self._accuracies[indices].mean(dim=1)

    def details(self) -> Mapping[str, Any]:
        """Return the scores of outputs (`per_pixel`, …) and targets (`real_…`), and `ratio_…`."""
        outputs, real = scores(self._outputs).as_dict(), scores(self._real).as_dict()
        ratios = {
            f"ratio_{name}": outputs[name] / real[name] if real[name] else float("nan")
            for name in outputs
        }
        return {
            "pairs": len(self._accuracies),
            **outputs,
            **{f"real_{name}": value for name, value in real.items()},
            **ratios,
        }

    def settings(self) -> Mapping[str, Any]:
        """Return the network, its training data and the size it uses."""
        network = self._network
        return {
            "segmenter": self._name,
            "sha256": self._sha256,
            "encoder": network.encoder,
            "size": list(network.size),
            "resize": "bicubic, antialiased, in float",
            "classes": list(network.labels.names),
            "trained_on": network.notes.get("data"),
            "weights": network.notes.get("weights"),
            "validation": network.notes.get("validation"),
        }
