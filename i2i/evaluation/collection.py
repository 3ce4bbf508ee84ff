"""Several metrics on the same images, batch by batch; shared features are computed once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from i2i.errors import DataError, I2IError, WeightsError
from i2i.evaluation.references import keep_features, known_features
from i2i.metrics.bootstrap import bootstrap_details
from i2i.metrics.extractors import Extractor
from i2i.metrics.metric import Metric, Role
from i2i.metrics.set_metric import SetMetric
from i2i.recipe.assemble import assemble_metric, higher_is_better

UNPAIRED = (
    "compares each output with its own target, but these images are unpaired: use metrics of sets, "
    "such as fid and kid"
)


@dataclass(frozen=True)
class Result:
    """The result of one metric.

    Args:
        label: The metric's name and its most important setting, such as `fid[clean]`.
        value: The metric's value; None if it is unavailable.
        higher_is_better: Whether a higher value is better.
        details: Further numbers, such as the number of images.
        settings: Everything that the value depends on, except the images.
        problem: Why the value is unavailable; None if it is available.
    """

    label: str
    value: float | None
    higher_is_better: bool
    details: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    problem: I2IError | None = None


class MetricCollection:
    """Several metrics that are updated together.

    A metric becomes unavailable if its weights are unavailable or if it refuses the images; the
    other metrics continue. Target features are cached on disk if `content` is given.

    Args:
        texts: Metrics as recipes name them, such as `kid:subset_size=50`.
        content: SHA-256 over all target images in their order, the key of the cached target
            features; None disables the cache.
        device: The device of the images that `update` will be called with.
        paired: Whether outputs and targets are pairs. If not, metrics that compare pairs are
            unavailable, and `update` doesn't use targets.
    """

    def __init__(
        self,
        texts: Sequence[str],
        content: str | None = None,
        device: str | torch.device = "cpu",
        *,
        paired: bool = True,
    ) -> None:
        self.problems: dict[str, I2IError] = {}
        self._texts = list(dict.fromkeys(texts))
        self._metrics: dict[str, Metric] = {}
        for text in self._texts:
            try:
                self._metrics[text] = assemble_metric(text)
            except WeightsError as error:
                self.problems[text] = error
        if not paired:
            for text in self.paired:
                with self._unavailable_on_error(text):
                    raise DataError([f"{text} {UNPAIRED}"])
        self._content, self._device = content, torch.device(device)
        self._new_features: dict[Extractor, list[Tensor]] = {}
        for extractor in self._extractors():
            known = known_features(extractor, content, self._device) if content else None
            if known is None:
                self._new_features[extractor] = []
            else:
                self._add(extractor, known, "targets")

    @property
    def paired(self) -> list[str]:
        """The available metrics that compare each output with its target."""
        return [t for t, metric in self._metrics.items() if not isinstance(metric, SetMetric)]

    @property
    def sets(self) -> list[str]:
        """The available metrics that compare outputs and targets as two sets."""
        return [t for t, metric in self._metrics.items() if isinstance(metric, SetMetric)]

    @property
    def targets_needed(self) -> bool:
        """Whether target features must still be computed because they were not in the cache."""
        return any(extractor in self._new_features for extractor in self._extractors())

    def update(self, images: Mapping[Role, Tensor]) -> None:
        """Update all metrics with a batch of pairs, or of inputs and outputs without targets."""
        self.update_pairs(images)
        self.update_outputs(images["output"])
        if "target" in images:
            self.update_targets(images["target"])

    def update_pairs(self, images: Mapping[Role, Tensor]) -> None:
        """Update the metrics that compare pair by pair."""
        for text, metric in list(self._metrics.items()):
            if not isinstance(metric, SetMetric):
                with self._unavailable_on_error(text):
                    metric.update(*_images_for(text, metric, images))

    def update_outputs(self, images: Tensor) -> None:
        """Update the metrics that compare sets with a batch of outputs."""
        for extractor in self._extractors():
            with self._unavailable_on_error(*self._texts_of(extractor)):
                self._add(extractor, extractor(images), "outputs")

    def update_targets(self, images: Tensor) -> None:
        """Update the metrics that compare sets with a batch of targets.

        Extractors whose target features came from the cache skip the batch.
        """
        for extractor in self._extractors():
            if extractor in self._new_features:
                with self._unavailable_on_error(*self._texts_of(extractor)):
                    features = extractor(images)
                    self._new_features[extractor].append(features)
                    self._add(extractor, features, "targets")

    def require(self, pairs: int) -> None:
        """Make the metrics unavailable that need more than `pairs` pairs."""
        for text, metric in list(self._metrics.items()):
            if pairs < (needed := getattr(metric, "needs", 1)):
                with self._unavailable_on_error(text):
                    raise DataError([f"{text} needs at least {needed} pairs, there are {pairs}"])

    def results(self, *, keep: bool = True, bootstrap: Tensor | None = None) -> dict[str, Result]:
        """Return the result of each metric by its text, in the order of `texts`.

        Args:
            keep: Whether to cache new target features. Pass False if some targets were unreadable:
                their features are missing.
            bootstrap: `(B, n)` indices of pairs, in the order of the updates. Metrics that support
                it add their values on these samples (`bootstrap`) and the `interval` to the
                details.
        """
        if self._content is not None and keep:
            # Extractors that refused a batch are not among these: their features are incomplete.
            for extractor in self._extractors():
                if batches := self._new_features.get(extractor):
                    keep_features(extractor, self._content, self._device, torch.cat(batches))
        return {text: self._result(text, bootstrap) for text in self._texts}

    def _result(self, text: str, bootstrap: Tensor | None) -> Result:
        metric = self._metrics.get(text)
        if metric is not None:
            with self._unavailable_on_error(text):
                return _computed(text, metric, bootstrap)
        return Result(text, None, higher_is_better(text), problem=self.problems[text])

    def _extractors(self) -> list[Extractor]:
        sets = [m for m in self._metrics.values() if isinstance(m, SetMetric)]
        return list(dict.fromkeys(metric.extractor for metric in sets))

    def _texts_of(self, extractor: Extractor) -> list[str]:
        return [
            text
            for text, metric in self._metrics.items()
            if isinstance(metric, SetMetric) and metric.extractor is extractor
        ]

    def _add(self, extractor: Extractor, features: Tensor, role: str) -> None:
        for text in self._texts_of(extractor):
            getattr(self._metrics[text], role).update(features)

    @contextmanager
    def _unavailable_on_error(self, *texts: str) -> Iterator[None]:
        """Make these metrics unavailable if the block raises a DataError."""
        try:
            yield
        except DataError as error:
            for text in texts:
                self.problems[text] = error
                self._metrics.pop(text, None)


def _computed(text: str, metric: Any, bootstrap: Tensor | None) -> Result:
    value, up = metric.compute(), metric.higher_is_better
    if not isinstance(metric, Metric):  # a plugin's plain class
        return Result(text, value, up)
    details = dict(metric.details())
    if bootstrap is not None and (values := metric.bootstrap(bootstrap)) is not None:
        details |= bootstrap_details(values)
    return Result(metric.label or text, value, up, details, metric.settings())


def _images_for(text: str, metric: Any, images: Mapping[Role, Tensor]) -> list[Tensor]:
    roles = metric.sees if isinstance(metric, Metric) else ("output", "target")
    missing = [f"{role}s" for role in roles if role not in images]
    if missing:
        raise DataError(
            [f"{text} also needs {' and '.join(missing)}: name their folder (--inputs)"]
        )
    return [images[role] for role in roles]
