"""Training of the segmentation network on photos and their label maps."""

import math
import sys
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F

from i2i.datasets.dataset import Dataset, Split
from i2i.datasets.decoded import decode
from i2i.errors import DataError, RecipeError, TrainingError
from i2i.images.sizes import next_multiple
from i2i.images.types import Size
from i2i.randomness import Stream, derived_seed, rng
from i2i.recipe.assemble import assemble_dataset
from i2i.recipe.dry_run import ADAM, LARGEST, ONE_VALUE, bytes_text
from i2i.recipe.networks import sized
from i2i.recipe.segmenter_schema import SegmenterRecipe
from i2i.segmentation.data import LabelledPhotos, Side, label_side, labels_of
from i2i.segmentation.network import Segmenter
from i2i.segmentation.palette import Labels
from i2i.segmentation.scores import Scores, confusion, scores
from i2i.system.console import track
from i2i.system.devices import choose_device, memory_of
from i2i.system.version import __version__
from i2i.training.engine import Engine
from i2i.weights.used import used

VALIDATIONS = 5
"""Number of validations per training, few because one takes a good part of an epoch's time."""

WARM_UP = 0.2
"""Fraction of the training in which the learning rate rises."""

Say = Callable[[str], None]


def train_segmenter(recipe: SegmenterRecipe, say: Say = lambda _: None) -> Segmenter:
    """Train the segmentation network of a recipe on its training split.

    AdamW minimises the mean cross-entropy over all pixels. The learning rate rises and falls once
    (Smith and Topin 2017), and the final weights are returned. On a CPU, the result is the same to
    the bit for the same recipe, data and number of threads.

    Args:
        recipe: Only `[data]`, `[augment]`, `[segmenter]`, `seed`, and the device, precision and
            `deterministic` of `[train]` are used.
        say: Called with console messages: about the data, after each epoch if stderr is not a
            terminal (which shows a progress bar instead), and the final scores.

    Returns:
        The network on the CPU, in eval mode; its `notes` describe the training.

    Raises:
        DataError: If there are too few photos, or images can't be read as label maps.
        RecipeError: If `segmenter.encoder` is unknown or unusable, or the network is too large.
        WeightsError: If the pretrained weights are unavailable.
        TrainingError: If a gradient is not finite.
    """
    options = recipe.train
    dataset = assemble_dataset(recipe)
    side = label_side(dataset, recipe.segmenter.labels)
    labels = labels_of(dataset, side, recipe.segmenter.palette)
    with Engine(options.device, options.precision, deterministic=options.deterministic) as engine:
        network = _network(recipe, dataset, side, labels)
        train, val = (_read(recipe, dataset, split, side, labels, say) for split in _SPLITS)
        if len(train) < recipe.segmenter.batch_size:
            raise DataError(
                [
                    f"the training split has {len(train)} pairs, fewer than "
                    f"segmenter.batch_size {recipe.segmenter.batch_size}"
                ]
            )
        if dataset.notice:
            say(f"NOTICE: {dataset.notice}")
        for remark in dataset.remarks:
            say(remark)
        parameters = sum(p.numel() for p in network.parameters())
        say(
            f"{network.encoder}, {parameters:,} parameters, {len(labels.names)} classes: "
            f"{len(train)} training photos, {len(val)} for validation, on {engine.device}"
        )
        _fit(network.to(engine.device), recipe, engine, train, val, say)
        measured = measure(network, val, engine) if len(val) else None
    if measured:
        say(f"validation: {brief(measured)}")
    network.notes = {
        "i2i": __version__,
        "data": {
            "type": recipe.data.type,
            "notice": dataset.notice,
            "labels": side,
            "train": train.decoded.fingerprint,
            "val": val.decoded.fingerprint,
            "photos": len(train),
        },
        "augment": recipe.augment.model_dump(mode="json"),
        "segmenter": recipe.segmenter.model_dump(mode="json"),
        "seed": recipe.seed,
        "weights": {name: what for name, what in used().items() if network.encoder in name},
        "validation": measured.as_dict() if measured else None,
    }
    return network.cpu().eval()


def measure(segmenter: Segmenter, photos: LabelledPhotos, engine: Engine) -> Scores:
    """Compute the scores of a segmenter on photos of its training size; it stays in eval mode."""
    segmenter.eval()
    classes = len(segmenter.labels.names)
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    indices = range(len(photos))
    for first in indices[::_AT_ONCE]:
        batch = indices[first : first + _AT_ONCE]
        predicted = segmenter.classes(photos.photos(batch).to(engine.device))
        counts += confusion(predicted.cpu(), photos.classes[list(batch)], classes)
    return scores(counts)


def brief(found: Scores) -> str:
    """The three scores as one line of text."""
    return (
        f"per-pixel {found.per_pixel:.3f}  per-class {found.per_class:.3f}  "
        f"class IoU {found.class_iou:.3f}"
    )


_SPLITS: tuple[Split, ...] = ("train", "val")
_AT_ONCE = 8


def _read(
    recipe: SegmenterRecipe, dataset: Dataset, split: Split, side: Side, labels: Labels, say: Say
) -> LabelledPhotos:
    decoded = decode(dataset, split, recipe.augment.crop, on_bad=recipe.data.on_bad)
    for name, reason in decoded.skipped:
        say(f"left out {name}: {reason}")
    try:
        return LabelledPhotos.of(decoded, side, labels)
    except DataError as error:
        raise DataError(
            [f"reading the {side} images as label maps: {p}" for p in error.problems]
        ) from error


def _network(recipe: SegmenterRecipe, dataset: Dataset, side: Side, labels: Labels) -> Segmenter:
    options = recipe.segmenter

    def build() -> Segmenter:
        return Segmenter(
            labels,
            recipe.augment.crop,
            channels=dataset.target_channels if side == "input" else dataset.input_channels,
            encoder=options.encoder,
            base_channels=options.base_channels,
            pretrained=options.pretrained,
        )

    try:
        _check(build, recipe)
        torch.default_generator.manual_seed(derived_seed(Stream.WEIGHTS, recipe.seed))
        return build()
    except ValueError as error:
        sentence = str(error).replace("generator.encoder", "segmenter.encoder")
        raise RecipeError([f"segmenter: {sentence}"]) from error


def _check(build: Callable[[], Segmenter], recipe: SegmenterRecipe) -> None:
    """Train the network for a step on the meta device, before anything is allocated.

    Raises:
        RecipeError: If it needs more memory than there is, or a norm gets one value per channel.
    """
    available = memory_of(choose_device(recipe.train.device)) or LARGEST
    with torch.device("meta"):
        network = sized("segmenter", build)
        memory = ADAM * sum(parameter.nbytes for parameter in network.parameters())
        if memory > available:
            raise RecipeError(
                [
                    f"segmenter: training needs at least {bytes_text(memory)} of memory, more than "
                    f"{bytes_text(available)}: choose smaller segmenter.base_channels"
                ]
            )
        crop = _crop(recipe, network)
        try:
            network(torch.empty(recipe.segmenter.batch_size, network.channels, *crop))
        except ValueError as error:
            if ONE_VALUE not in str(error):
                raise
            raise RecipeError(
                [
                    "segmenter: a norm gets a single value per channel: set segmenter.batch_size "
                    "to 2 or more"
                ]
            ) from error


def _crop(recipe: SegmenterRecipe, network: Segmenter) -> Size:
    """Height and width of the random training crops."""
    height, width = (round(side * recipe.segmenter.crop_fraction) for side in recipe.augment.crop)
    return next_multiple((height, width), network.size_divisor)


def _rate(step: int, steps: int) -> float:
    """Fraction of the highest learning rate: a linear rise, then a decay along half a cosine."""
    progress = (step + 1) / (steps + 1)
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))


def _fit(
    network: Segmenter,
    recipe: SegmenterRecipe,
    engine: Engine,
    train: LabelledPhotos,
    val: LabelledPhotos,
    say: Say,
) -> None:
    options = recipe.segmenter
    steps = len(train) // options.batch_size
    crop = _crop(recipe, network)
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, options.lr, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, partial(_rate, steps=options.epochs * steps)
    )
    validate_every = max(1, options.epochs // VALIDATIONS)
    with track("training the segmenter", options.epochs * steps, unit="steps") as advance:
        for epoch in range(options.epochs):
            network.train()
            order = rng(Stream.ORDER, recipe.seed, epoch).permutation(len(train)).tolist()
            total = 0.0
            for step in range(steps):
                photos, classes = train.augmented(
                    order[step * options.batch_size : (step + 1) * options.batch_size],
                    load=recipe.augment.load,
                    crop=crop,
                    flip=recipe.augment.flip,
                    seed=recipe.seed,
                    epoch=epoch,
                )
                with engine.autocast():
                    logits = network(photos.to(engine.device))
                loss = F.cross_entropy(logits.float(), classes.to(engine.device))
                optimizer.zero_grad()
                engine.backward(loss, parameters, keep_graph=False)
                if not engine.update(optimizer, parameters, None):
                    raise TrainingError(
                        f"the segmenter's gradients are no longer finite in epoch {epoch + 1}; "
                        f"lower segmenter.lr ({options.lr})"
                    )
                engine.scaler.update()
                schedule.step()
                total += loss.item()
                advance(1)
            if not sys.stderr.isatty():
                line = f"epoch {epoch + 1}/{options.epochs}  loss {total / steps:.3f}"
                if len(val) and (epoch + 1) % validate_every == 0 and epoch + 1 < options.epochs:
                    line += f"  validation {brief(measure(network, val, engine))}"
                say(line)
