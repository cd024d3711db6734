"""Text about a run: its plan, its outcome in a line, and a Markdown artifact. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from prefect_dvc.execution.scheduler import FAILED, StageOutcome
from prefect_dvc.plan import Step


def summarize_plan(steps: Sequence[Step]) -> str:
    """Return a line for each wave of a plan."""
    waves: dict[int, list[str]] = {}
    for step in steps:
        if step.wave is not None:
            waves.setdefault(step.wave, []).append(step.stage)
    lines = [f"wave {wave}: {', '.join(stages)}" for wave, stages in sorted(waves.items())]
    return "\n".join(lines) or "nothing changed"


def summarize_outcomes(outcomes: Sequence[StageOutcome], experiment: str = "") -> str:
    """Return how many stages ended in which state, and the exit code and last lines of those that failed."""
    counts = ", ".join(f"{count} {state}" for state, count in Counter(outcome.state for outcome in outcomes).items())
    failed = [
        f"{outcome.stage} ended with {outcome.code}:\n{outcome.message}"
        for outcome in outcomes
        if outcome.state == FAILED
    ]
    return "\n".join([(f"experiment {experiment}: " if experiment else "") + (counts or "no stages"), *failed])


def render_page(
    outcomes: Sequence[StageOutcome],
    metrics: Sequence[tuple[str, str, Any, Any]],
    links: Mapping[str, str],
    experiment: str = "",
) -> str:
    """Render tables of the stages and of the metrics that differ from the last commit's, and links, as Markdown."""
    parts = [f"Experiment `{experiment}`: `dvc exp show`, `dvc exp apply {experiment}`"] if experiment else []
    parts += [_table(("stage", "state", "seconds"), [(o.stage, o.state, f"{o.seconds:.1f}") for o in outcomes])]
    parts += [f"`{o.stage}` ended with {o.code}:\n\n```\n{o.message}\n```" for o in outcomes if o.state == FAILED]
    if metrics:
        rows = [
            (f"{file} {metric}", _format(old), _format(new), _format_change(old, new))
            for file, metric, old, new in metrics
        ]
        parts.append(_table(("metric", "last commit", "now", "change"), rows))
    else:
        parts.append("No metric differs from the last commit's.")
    parts += [f"{name}: [{target}]({target})" for name, target in links.items()]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return str(tabulate(cells, head, tablefmt="github", disable_numparse=True))


def _format(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)


def _format_change(old: Any, new: Any) -> str:
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new))
    return f"{new - old:+.4f}" if numeric else ""
