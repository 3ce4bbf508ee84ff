"""The runs of a study and the progress of each."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from i2i.errors import ManyProblems
from i2i.recipe import Recipe, load_resolved_recipe
from i2i.recipe.schema import Precision
from i2i.run_folder import RunFolder
from i2i.studies.checks import check
from i2i.studies.folder import StudyFolder
from i2i.studies.reading import Experiment
from i2i.studies.record import Record, copy_record, read_record, read_records
from i2i.studies.sameness import differences, digest
from i2i.studies.schema import Study
from i2i.system.devices import choose_device, choose_precision
from i2i.training import checkpoint as checkpoints


class StudyError(ManyProblems):
    """A study that can't continue, because its folder holds runs or records of other recipes."""


@dataclass
class Job:
    """A run of the study; variants whose recipes give the same results share one run.

    Args:
        recipe: The resolved recipe; its name is also the name of the run and of the record.
        variants: The variants that share the run.
        run: The run's folder.
        path: The file for its record.
        record: Its record, once it is done.
        step: Updates that are already done.
        total: Updates in all.
        lacking: Metrics that are missing in its record.
        in_the_way: Why its folder or record must be replaced.
        replaces: Whether its folder has a run of another recipe.
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
    replaces: bool = False

    @property
    def name(self) -> str:
        """Its name on the console and the page."""
        return f"{' = '.join(self.variants)}, seed {self.recipe.seed}"

    @property
    def elsewhere(self) -> Path | None:
        """The record's file if it is in another study's folder, else None."""
        return None if self.record is None or self.record.path == self.path else self.record.path

    @property
    def state(self) -> Literal["done", "resume", "new"]:
        """`done`, `resume` if some of its updates are done, or `new`."""
        if self.record is not None and not self.lacking:
            return "done"
        return "resume" if self.step else "new"


def jobs_of(
    experiment: Experiment, folder: StudyFolder, others: Sequence[StudyFolder] = ()
) -> list[Job]:
    """Return the runs of a study in the order to run them: seed by seed.

    Args:
        experiment: The study and its recipes.
        folder: The study's folder, which may hold records and runs already.
        others: Folders of other studies; their records are used if they have all metrics.

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
        # A record keeps its file name, even if its variant has been renamed since.
        stem = recipe.name if record is None else record.path.stem
        jobs[key] = Job(recipe, (name,), folder.run(stem), folder.record(stem), record)
        if record is not None:
            jobs[key].lacking = record.lacks(recipe)
        elif (other := theirs.get(key)) and not (jobs[key].path.exists() or other.lacks(recipe)):
            jobs[key].record = other
    for job in jobs.values():
        job.total = job.step = job.record.document["updates"] if job.record else 0
    return list(jobs.values())


def prepare(jobs: Sequence[Job], *, overwrite: bool = False) -> None:
    """Check that every unfinished run can run, before the first one starts, and find its progress.

    Args:
        jobs: Runs of a study.
        overwrite: Whether runs and records of other recipes may be removed.

    Raises:
        StudyError: If runs or records of other recipes must be removed first, and `overwrite` is
            False.
        I2IError: As `check`.
    """
    missing = [job for job in jobs if job.state != "done"]
    for job in missing:
        job.in_the_way = _in_the_way(job)
    in_the_way = [why for job in missing for why in job.in_the_way]
    if in_the_way and not overwrite:
        raise StudyError(
            [*in_the_way, "Start these runs again (--overwrite), or choose another folder (--out)"]
        )
    datasets = check({job.variants[0]: job.recipe for job in missing})
    for job in missing:
        train = job.recipe.train
        steps = train.epochs * (len(datasets[job.variants[0]].pairs("train")) // train.batch_size)
        job.total = steps if train.max_steps is None else min(steps, train.max_steps)
        job.step = 0
        if not job.replaces and (newest := checkpoints.newest(job.run.checkpoints)[0]):
            job.step = newest.step


def take_over(jobs: Sequence[Job]) -> Iterator[str]:
    """Copy records that are in other studies' folders; yields a console line for each."""
    for job in jobs:
        if (source := job.elsewhere) is not None:
            assert job.record is not None
            job.record = copy_record(job.record, job.path)
            yield f"{job.name}: record copied from {source}"


def _resolved(recipe: Recipe, recorded: Container[str]) -> Recipe:
    """Resolve `auto` precision: to the one of an existing record, else to this machine's choice."""
    if recipe.train.precision != "auto":
        return recipe
    default = choose_precision(choose_device(recipe.train.device))
    precisions: tuple[Precision, ...] = (default, 32, "bf16-mixed")
    candidates = [recipe.with_precision(precision) for precision in precisions]
    return next((each for each in candidates if digest(each) in recorded), candidates[0])


def _in_order(study: Study) -> list[tuple[str, int]]:
    """Return every variant with its first seed, then every variant with its second, and so on."""
    seeds = {variant.name: study.seeds_of(variant) for variant in study.variants}
    rounds = range(max(map(len, seeds.values())))
    return [(name, own[i]) for i in rounds for name, own in seeds.items() if i < len(own)]


def _in_the_way(job: Job) -> list[str]:
    """Describe the run or record that must be removed before a run can start."""
    found = []
    if job.record is None and job.path.exists():
        found.append(_other(job.path, read_record(job.path).recipe, job))
    if job.run.recipe.exists():
        stored = load_resolved_recipe(job.run.recipe)
        job.replaces = digest(stored) != digest(job.recipe)
        if job.replaces:
            found.append(_other(job.run.path, stored, job))
    elif job.record is not None:
        found.append(
            f"{job.path}: lacks {', '.join(job.lacking)}, and its run, which is needed to compute "
            "them, was deleted"
        )
    return found


def _other(path: Path, recipe: Recipe, job: Job) -> str:
    return f"{path}: belongs to another recipe: {'; '.join(differences(recipe, job.recipe))}"
