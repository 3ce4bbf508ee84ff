"""Several metrics fed with the same images, batch by batch, each feature computed once."""

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


@dataclass(frozen=True)
class Result:
    """What a metric says.

    Args:
        label: The name with what the number depends on most.
        value: None if it is unavailable.
        higher_is_better: Which way it points.
        details: What belongs to the value besides, numbers of images among it.
        settings: All that it depends on but the images.
        problem: Why it is unavailable; None if it isn't.
    """

    label: str
    value: float | None
    higher_is_better: bool
    details: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    problem: I2IError | None = None


class MetricCollection:
    """Metrics by the text that names them, gathering.

    A metric whose weights can't be had, or that refuses the images, becomes unavailable; the others
    go on. Features of targets whose content is known are computed once and kept.

    Args:
        texts: Metrics as recipes name them.
        content: SHA-256 over all target images in their order; None where nothing is to be kept.
        device: Where images will be when they come.
    """

    def __init__(
        self, texts: Sequence[str], content: str | None = None, device: str | torch.device = "cpu"
    ) -> None:
        self.problems: dict[str, I2IError] = {}
        self._texts = list(dict.fromkeys(texts))
        self._metrics: dict[str, Metric] = {}
        for text in self._texts:
            try:
                self._metrics[text] = assemble_metric(text)
            except WeightsError as error:
                self.problems[text] = error
        self._content, self._device = content, torch.device(device)
        self._new: dict[Extractor, list[Tensor]] = {}
        for extractor in self._extractors():
            known = known_features(extractor, content, self._device) if content else None
            if known is None:
                self._new[extractor] = []
            else:
                self._add(extractor, known, "targets")

    @property
    def paired(self) -> list[str]:
        """The metrics that compare each output with its own target."""
        return [t for t, metric in self._metrics.items() if not isinstance(metric, SetMetric)]

    @property
    def sets(self) -> list[str]:
        """The metrics that compare outputs and targets as sets."""
        return [t for t, metric in self._metrics.items() if isinstance(metric, SetMetric)]

    @property
    def targets_needed(self) -> bool:
        """Whether features of targets are missing."""
        return any(extractor in self._new for extractor in self._extractors())

    def update(self, images: Mapping[Role, Tensor]) -> None:
        """Show pairs to all metrics."""
        self.update_pairs(images)
        self.update_outputs(images["output"])
        self.update_targets(images["target"])

    def update_pairs(self, images: Mapping[Role, Tensor]) -> None:
        """Show pairs to the metrics that compare pair by pair."""
        for text, metric in list(self._metrics.items()):
            if not isinstance(metric, SetMetric):
                with self._refusal(text):
                    metric.update(*_seen(text, metric, images))

    def update_outputs(self, images: Tensor) -> None:
        """Show outputs to the metrics that compare sets."""
        for extractor in self._extractors():
            with self._refusal(*self._texts_of(extractor)):
                self._add(extractor, extractor(images), "outputs")

    def update_targets(self, images: Tensor) -> None:
        """Show targets to the metrics that compare sets, where their features aren't known."""
        for extractor in self._extractors():
            if extractor in self._new:
                with self._refusal(*self._texts_of(extractor)):
                    features = extractor(images)
                    self._new[extractor].append(features)
                    self._add(extractor, features, "targets")

    def require(self, pairs: int) -> None:
        """Make metrics unavailable that need more than so many pairs."""
        for text, metric in list(self._metrics.items()):
            if pairs < (needed := getattr(metric, "needs", 1)):
                with self._refusal(text):
                    raise DataError([f"{text} needs at least {needed} pairs, there are {pairs}"])

    def results(self, *, keep: bool = True, bootstrap: Tensor | None = None) -> dict[str, Result]:
        """Every metric's result by its text, in the order asked.

        Args:
            keep: Keep new features of targets; not, if some of the targets couldn't be shown.
            bootstrap: `(B, n)` places of pairs in the order they came; the details of each metric
                that can then have its values on these (`bootstrap`) and their `interval`.
        """
        if self._content is not None and keep:
            for extractor in self._extractors():  # those that refused have seen only some
                if batches := self._new.get(extractor):
                    keep_features(extractor, self._content, self._device, torch.cat(batches))
        return {text: self._result(text, bootstrap) for text in self._texts}

    def _result(self, text: str, bootstrap: Tensor | None) -> Result:
        metric = self._metrics.get(text)
        if metric is not None:
            with self._refusal(text):
                return _told(text, metric, bootstrap)
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
    def _refusal(self, *texts: str) -> Iterator[None]:
        """Make metrics unavailable that refuse what is done within."""
        try:
            yield
        except DataError as error:
            for text in texts:
                self.problems[text] = error
                self._metrics.pop(text, None)


def _told(text: str, metric: Any, bootstrap: Tensor | None) -> Result:
    value, up = metric.compute(), metric.higher_is_better
    if not isinstance(metric, Metric):  # a plugin's plain class
        return Result(text, value, up)
    details = dict(metric.details())
    if bootstrap is not None and (values := metric.bootstrap(bootstrap)) is not None:
        details |= bootstrap_details(values)
    return Result(metric.label or text, value, up, details, metric.settings())


def _seen(text: str, metric: Any, images: Mapping[Role, Tensor]) -> list[Tensor]:
    roles = metric.sees if isinstance(metric, Metric) else ("output", "target")
    lacking = [f"{role}s" for role in roles if role not in images]
    if lacking:
        raise DataError([f"{text} needs {' and '.join(lacking)} too"])
    return [images[role] for role in roles]
