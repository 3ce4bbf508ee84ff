"""What `i2i study` does: a whole study, from its file to its page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from i2i.errors import RecipeError, nearest
from i2i.studies.folder import StudyFolder
from i2i.studies.plan import Job, jobs_of, prepare, take_over
from i2i.studies.reading import load_study
from i2i.studies.results import results_of
from i2i.studies.runner import Ended, run_jobs
from i2i.studies.schema import Study
from i2i.system.console import Console

LINES_EVERY = 30.0
"""Seconds between lines that say how far a study is."""


@dataclass(frozen=True)
class Studied:
    """How a study ended.

    Args:
        folder: Where everything is.
        status: 0; 1 where a run failed; or the exit status of the signal that stopped it.
        failed: Why each run that failed did, by its name.
    """

    folder: StudyFolder
    status: int
    failed: dict[str, str] = field(default_factory=dict)


def study(
    path: Path | str,
    *,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    jobs: int = 1,
    out: Path | None = None,
    reuse: Sequence[Path] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> Studied:
    """Do the runs of a study that aren't done yet, and write its tables and its page.

    Args:
        path: The study file.
        only: The variants to run; all by default. The page shows all that is done.
        overrides: Each `section.key=value`, for the recipes of all variants.
        jobs: How many runs at a time; each has its own share of the cores, or its own device.
        out: The study's folder; `studies/<name>` by default.
        reuse: Folders of other studies: what they have done with the same recipe is taken over.
        overwrite: Begin those runs again that lie there with another recipe.
        quiet: Say nothing on the console.

    Raises:
        I2IError: One of its kinds, for whatever a user can mend. Runs that fail raise nothing: they
            are in `failed`.
    """
    experiment = load_study(path, overrides)
    folder = _folder(experiment.study, out)
    _check_only(only, experiment.study)
    others = _others(reuse)
    with folder.held():
        every = jobs_of(experiment, folder, others)
        wanted = _chosen(every, only)
        prepare(wanted, overwrite=overwrite)
        console = Console(every=LINES_EVERY, at_once=False, quiet=quiet)

        def write_so_far() -> None:
            try:
                _write(folder, experiment.study, every)
            except Exception as error:  # whatever it is, it mustn't end runs that take hours
                console.say(f"the page couldn't be written: {error!r}")

        try:
            for taken in take_over(every):
                console.say(taken)
            ended = run_jobs(wanted, jobs, console, write_so_far)
            _write(folder, experiment.study, every)
            console.say(_farewell(ended, folder))
        finally:
            console.close()
    return Studied(folder, _status(ended), ended.failed)


def write_page(
    path: Path | str, *, overrides: Sequence[str] = (), out: Path | None = None
) -> StudyFolder:
    """Write a study's tables and page of the records that there are, and run nothing.

    It works while the study is running, too. For the arguments see `study`.
    """
    experiment = load_study(path, overrides)
    folder = _folder(experiment.study, out)
    folder.path.mkdir(parents=True, exist_ok=True)
    _write(folder, experiment.study, jobs_of(experiment, folder))
    return folder


def planned(
    path: Path | str,
    *,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    out: Path | None = None,
    reuse: Sequence[Path] = (),
    overwrite: bool = False,
) -> list[Job]:
    """The runs that `study` would do or has done, and how far each is; nothing is written."""
    experiment = load_study(path, overrides)
    _check_only(only, experiment.study)
    every = jobs_of(experiment, _folder(experiment.study, out), _others(reuse))
    wanted = _chosen(every, only)
    prepare(wanted, overwrite=overwrite)
    return wanted


def _folder(study: Study, out: Path | None) -> StudyFolder:
    return StudyFolder(out or Path("studies") / study.name)


def _others(paths: Sequence[Path]) -> list[StudyFolder]:
    folders = [StudyFolder(path) for path in paths]
    problems = [
        f"--reuse: {each.path} is no study's folder: it has no records/"
        for each in folders
        if not each.records.is_dir()
    ]
    if problems:
        raise RecipeError(problems)
    return folders


def _write(folder: StudyFolder, study: Study, jobs: Sequence[Job]) -> None:
    from i2i.studies.page import write_results  # draws with matplotlib, which loads slowly

    write_results(folder, results_of(study, jobs))


def _chosen(jobs: Sequence[Job], only: Sequence[str]) -> list[Job]:
    return [job for job in jobs if not only or set(only) & set(job.variants)]


def _farewell(ended: Ended, folder: StudyFolder) -> str:
    if ended.signal is not None:
        return "stopped; the same command goes on"
    return f"page: {folder.page}"


def _check_only(only: Sequence[str], study: Study) -> None:
    names = [variant.name for variant in study.variants]
    problems = []
    for name in only:
        if name not in names:
            near = nearest(name, names)
            hint = f", did you mean '{near}'?" if near else "."
            problems.append(f"--only: there is no variant '{name}'{hint} Known: {', '.join(names)}")
    if problems:
        raise RecipeError(problems)


def _status(ended: Ended) -> int:
    if ended.signal is not None:
        return 128 + ended.signal
    return 1 if ended.failed else 0
