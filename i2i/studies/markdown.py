"""A study as Markdown."""

from collections.abc import Iterator, Sequence

from i2i.studies.orderings import Comparison
from i2i.studies.results import Results
from i2i.studies.tables import Cell, Column
from i2i.system.console import duration


def as_markdown(results: Results, figure: Sequence[str]) -> str:
    """Return the study's tables and findings as Markdown.

    Args:
        results: The study's results.
        figure: The column names of `figure.png` in the same folder; empty if there is no figure.
    """
    return "\n".join(_lines(results, figure)).rstrip() + "\n"


def _lines(results: Results, figure: Sequence[str]) -> Iterator[str]:
    study = results.study
    yield from (f"# {study.title or study.name}", "")
    for text in (study.summary, study.reading):
        if text.strip():
            yield from (text.strip(), "")
    yield from ("## Results", "")
    headings = [f"{column.name} {column.arrow}" for column in results.columns]
    yield from _row(["", *headings])
    yield "|---|" + "---:|" * len(headings)
    for variant in study.variants:
        cells = [_cell(column, column.cells[variant.name]) for column in results.columns]
        yield from _row([variant.name, *cells])
    if study.ground_truth is not None:
        truths = [column.ground_truth for column in results.columns]
        cells = [
            _cell(column, cell) if cell else ""
            for column, cell in zip(results.columns, truths, strict=True)
        ]
        yield from _row(["ground truth", *cells])
    yield ""
    yield "Mean ± sample standard deviation over seeds (± only with several seeds); best in bold."
    if study.paper:
        yield "The paper's values are in parentheses:"
        yield from (f"- {metric}: {note}" for metric, note in study.paper.items())
    yield ""
    if results.findings:
        yield from ("## Orderings", "")
        yield "| claim | metric | paper | verdict | comparisons |"
        yield "|---|---|---|---|---|"
        for finding in results.findings:
            yield from _row(
                [
                    finding.ordering.claim,
                    finding.ordering.metric,
                    "says so" if finding.ordering.paper else "",
                    f"**{finding.verdict}**",
                    "; ".join(comparison_text(c) for c in finding.comparisons),
                ]
            )
        yield ""
    if figure:
        yield from ("## Figure", "", f"![{' | '.join(figure)}](figure.png)", "")
        yield from (f"*{' | '.join(figure)}*", "")
    yield from ("## Runs", "")
    for job in results.jobs:
        if job.record is None:
            yield f"- {job.name}: not run"
            continue
        document = job.record.document
        machine = document["environment"]["machine"]
        yield (
            f"- {job.name}: {document['updates']:,} updates in {duration(document['seconds'])} "
            f"on {document['environment']['device']} ({machine['processor']}, "
            f"{machine['threads']} threads)"
        )


def comparison_text(comparison: Comparison) -> str:
    """Describe the comparison of two variants in one line."""
    pair = f"{comparison.better} against {comparison.worse}"
    if comparison.confidence is None or comparison.interval is None:
        return f"{pair}: {comparison.problem}"
    low, high = comparison.interval
    return (
        f"{pair}: {signed(comparison.difference)} [{signed(low)}, {signed(high)}], "
        f"confidence {comparison.confidence:.1%}"
    )


def signed(value: float | None) -> str:
    """Format a difference with its sign."""
    return "–" if value is None else f"{value:+.3g}".replace("-", "−")


def _cell(column: Column, cell: Cell) -> str:
    text = column.shown(cell.mean)
    if cell.spread is not None:
        text += f" ± {column.shown(cell.spread)}"
    if cell.best:
        text = f"**{text}**"
    return text if cell.paper is None else f"{text} ({cell.paper:.2f})"


def _row(cells: list[str]) -> Iterator[str]:
    yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
