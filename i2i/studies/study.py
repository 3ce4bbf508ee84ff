"""Entry points of `i2i study`: run a study, write its page, or plan its runs."""

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
"""Seconds between progress lines."""


@dataclass(frozen=True)
class Studied:
    """How a study ended.

    Args:
        folder: The study's folder.
        status: 0; 1 if a run failed; or 128 plus the number of the signal that stopped the study.
        failed: The reason for each failed run, by its name.
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
    """Do the unfinished runs of a study, and write its tables and its page.

    Args:
        path: The study file.
        only: The variants to run; all by default. The page shows all finished runs.
        overrides: Each `section.key=value`, for the recipes of all variants.
        jobs: The number of runs at a time; they share the CPU cores and the CUDA devices.
        out: The study's folder; `studies/<name>` by default.
        reuse: Folders of other studies; records of the same recipes are copied from there.
        overwrite: Start runs again whose folders hold runs of other recipes.
        quiet: Print nothing on the console.

    Raises:
        I2IError: A subclass of it, for problems that a user can fix. Runs that fail don't raise:
            they are in `failed`.
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
            except Exception as error:  # no error here may end runs that take hours
                console.say(f"the page couldn't be written: {error!r}")

        try:
            for line in take_over(every):
                console.say(line)
            ended = run_jobs(wanted, jobs, console, write_so_far)
            _write(folder, experiment.study, every)
            console.say(_last_message(ended, folder))
        finally:
            console.close()
    return Studied(folder, _status(ended), ended.failed)


def write_page(
    path: Path | str, *, overrides: Sequence[str] = (), out: Path | None = None
) -> StudyFolder:
    """Write a study's tables and page from the existing records, without running anything.

    This also works while the study is running. For the arguments see `study`.
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
    """Return the runs of a study and the progress of each, without writing anything."""
    experiment = load_study(path, overrides)
    _check_only(only, experiment.study)
    folder = _folder(experiment.study, out)
    folder.check_writable()
    every = jobs_of(experiment, folder, _others(reuse))
    wanted = _chosen(every, only)
    prepare(wanted, overwrite=overwrite)
    return wanted


def _folder(study: Study, out: Path | None) -> StudyFolder:
    return StudyFolder(out or Path("studies") / study.name)


def _others(paths: Sequence[Path]) -> list[StudyFolder]:
    folders = [StudyFolder(path) for path in paths]
    problems = [
        f"--reuse: {each.path} is not a study's folder: it has no records/"
        for each in folders
        if not each.records.is_dir()
    ]
    if problems:
        raise RecipeError(problems)
    return folders


def _write(folder: StudyFolder, study: Study, jobs: Sequence[Job]) -> None:
    from i2i.studies.page import write_results  # imports matplotlib, which is slow to load

    write_results(folder, results_of(study, jobs))


def _chosen(jobs: Sequence[Job], only: Sequence[str]) -> list[Job]:
    return [job for job in jobs if not only or set(only) & set(job.variants)]


def _last_message(ended: Ended, folder: StudyFolder) -> str:
    if ended.signal is not None:
        return "stopped; run the same command to resume"
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
