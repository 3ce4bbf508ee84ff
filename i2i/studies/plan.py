"""What a study has to do: its runs, and how far each of them is."""

import shutil
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from i2i.datasets.dataset import Dataset
from i2i.errors import DataError, ManyProblems, RecipeError, WeightsError
from i2i.evaluation.collection import MetricCollection
from i2i.recipe import Recipe, resolved_recipe
from i2i.recipe.assemble import assemble_dataset
from i2i.recipe.inspection import inspect
from i2i.recipe.schema import Precision
from i2i.run_folder import RunFolder
from i2i.studies.folder import StudyFolder
from i2i.studies.reading import Experiment
from i2i.studies.record import Record, copy_record, read_record, read_records
from i2i.studies.sameness import differences, digest
from i2i.studies.schema import Study
from i2i.system.devices import choose_device, choose_precision
from i2i.training import checkpoint as checkpoints


class StudyError(ManyProblems):
    """A study that can't go on: what lies in its folder is of another one."""


@dataclass
class Job:
    """A run of the study, for every variant and seed whose recipes are the same.

    Args:
        recipe: The resolved recipe; its name is that of the run and of the record.
        variants: Whose it is.
        run: Where it is trained.
        path: Where its record belongs.
        record: Its record, once it is done.
        step: Updates that needn't be done again.
        total: Updates in all.
        lacking: Metrics that its record doesn't have yet.
        in_the_way: What has to be removed before it can begin.
    """

    recipe: Recipe
    variants: tuple[str, ...]
    run: RunFolder
    path: Path
    record: Record | None = None
    step: int = 0
    total: int = 0
    lacking: list[str] = field(default_factory=list)
    in_the_way: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the console calls it."""
        return f"{' = '.join(self.variants)}, seed {self.recipe.seed}"

    @property
    def elsewhere(self) -> Path | None:
        """The record, if it is still another study's."""
        return None if self.record is None or self.record.path == self.path else self.record.path

    @property
    def state(self) -> Literal["done", "resume", "new"]:
        """Whether it is done, was begun, or is all to be done."""
        if self.record is not None and not self.lacking:
            return "done"
        return "resume" if self.step else "new"


def jobs_of(
    experiment: Experiment, folder: StudyFolder, others: Sequence[StudyFolder] = ()
) -> list[Job]:
    """The runs of a study in the order in which they are to be done: seed by seed.

    Args:
        experiment: The study and its recipes.
        folder: Where records and runs may lie already.
        others: Studies whose records count where they have all that is asked for.

    Raises:
        I2IError: If a record is damaged.
    """
    records = {record.digest: record for record in read_records(folder.records)}
    theirs = {record.digest: record for each in others for record in read_records(each.records)}
    jobs: dict[str, Job] = {}
    for name, seed in _in_order(experiment.study):
        recipe = _resolved(experiment.recipes[name, seed], records.keys() | theirs.keys())
        key = digest(recipe)
        if key in jobs:
            jobs[key].variants = tuple(dict.fromkeys((*jobs[key].variants, name)))
            continue
        record = records.get(key)
        called = recipe.name if record is None else record.path.stem  # its variant's name then
        jobs[key] = Job(recipe, (name,), folder.run(called), folder.record(called), record)
        if record is not None:
            jobs[key].lacking = record.lacks(recipe)
        elif (other := theirs.get(key)) and not (jobs[key].path.exists() or other.lacks(recipe)):
            jobs[key].record = other
    for job in jobs.values():
        job.total = job.step = job.record.document["updates"] if job.record else 0
    return list(jobs.values())


def prepare(jobs: Sequence[Job], *, overwrite: bool = False) -> None:
    """Check that all that isn't done can be done, before the first run begins; how far each is.

    Args:
        jobs: Runs of a study.
        overwrite: Whether what other recipes have left in the way may be removed.

    Raises:
        StudyError: If it may not, and there is something.
        RecipeError: If components refuse what recipes ask of them.
        DataError: If the data can't be had.
        WeightsError: If a metric can't be measured.
    """
    missing = [job for job in jobs if job.state != "done"]
    for job in missing:
        job.in_the_way = _in_the_way(job)
    in_the_way = [why for job in missing for why in job.in_the_way]
    if in_the_way and not overwrite:
        raise StudyError(
            [*in_the_way, "Begin these again (--overwrite), or choose another folder (--out)"]
        )
    _check_networks(missing)
    _check_metrics(missing)
    pairs = {data: len(found.pairs("train")) for data, found in _datasets(missing).items()}
    for job in missing:
        train = job.recipe.train
        steps = train.epochs * (pairs[_data(job)] // train.batch_size)
        job.total = steps if train.max_steps is None else min(steps, train.max_steps)
        job.step = 0
        if not job.in_the_way and (newest := checkpoints.newest(job.run.checkpoints)[0]):
            job.step = newest.step


def take_over(jobs: Sequence[Job]) -> Iterator[str]:
    """Copy the records that are other studies' yet; what was copied, in words."""
    for job in jobs:
        if (source := job.elsewhere) is not None:
            assert job.record is not None
            job.record = copy_record(job.record, job.path)
            yield f"{job.name}: taken over from {source}"


def clear(job: Job) -> None:
    """Remove what another recipe has left where a run belongs."""
    if job.in_the_way:
        shutil.rmtree(job.run.path, ignore_errors=True)
        job.path.unlink(missing_ok=True)
        job.record, job.in_the_way = None, []


def _resolved(recipe: Recipe, recorded: Container[str]) -> Recipe:
    """The recipe with `auto` precision resolved: as a record has it, else as suits this machine."""
    if recipe.train.precision != "auto":
        return recipe
    here = choose_precision(choose_device(recipe.train.device))
    every: tuple[Precision, ...] = (here, 32, "bf16-mixed")
    ways = [recipe.with_precision(precision) for precision in every]
    return next((way for way in ways if digest(way) in recorded), ways[0])


def _in_order(study: Study) -> list[tuple[str, int]]:
    """Every variant with its first seed, then with its second, and so on."""
    seeds = {variant.name: study.seeds_of(variant) for variant in study.variants}
    rounds = range(max(map(len, seeds.values())))
    return [(name, own[i]) for i in rounds for name, own in seeds.items() if i < len(own)]


def _in_the_way(job: Job) -> list[str]:
    """What lies where a run belongs and is of no use to it, in words."""
    found = []
    if job.record is None and job.path.exists():
        found.append(_other(job.path, read_record(job.path).recipe, job))
    if job.run.recipe.exists():
        there = resolved_recipe(
            job.run.recipe.read_text(encoding="utf-8"), source=str(job.run.recipe)
        )
        if digest(there) != digest(job.recipe):
            found.append(_other(job.run.path, there, job))
    elif job.record is not None:
        found.append(
            f"{job.path}: lacks {', '.join(job.lacking)}, and its run, which could be measured "
            "again, is gone"
        )
    return found


def _other(path: Path, recipe: Recipe, job: Job) -> str:
    return f"{path}: is of another recipe: {'; '.join(differences(recipe, job.recipe))}"


def _check_networks(jobs: Sequence[Job]) -> None:
    problems: dict[str, type[ManyProblems]] = {}
    for job in {job.variants: job for job in jobs}.values():  # seeds build the same
        try:
            inspect(job.recipe)
        except RecipeError as error:
            problems |= {f"variant '{job.variants[0]}': {p}": RecipeError for p in error.problems}
        except DataError as error:
            problems |= dict.fromkeys(error.problems, DataError)
    if problems:
        raise next(iter(problems.values()))(list(problems))


def _check_metrics(jobs: Sequence[Job]) -> None:
    texts: list[str] = []
    for job in jobs:
        texts += job.recipe.eval.metrics
        texts += job.recipe.validation.metrics if job.recipe.validation.every else ()
    problems = MetricCollection(texts).problems
    if problems:
        raise WeightsError(
            "these can't be measured, so nothing was begun:\n"
            + "\n".join(f"{text}: {problem}" for text, problem in problems.items())
        )


def _datasets(jobs: Sequence[Job]) -> dict[str, Dataset]:
    recipes = {_data(job): job.recipe for job in jobs}
    return {data: assemble_dataset(recipe) for data, recipe in recipes.items()}


def _data(job: Job) -> str:
    return job.recipe.data.model_dump_json()
