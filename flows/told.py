"""What a run says: before, in a line, and as Markdown on the flow run. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gazette.pipeline.execution.scheduler import FAILED, Outcome
from gazette.pipeline.plan import Step


def briefly(steps: Sequence[Step]) -> str:
    """A plan, a line for each wave."""
    waves: dict[int, list[str]] = {}
    for step in steps:
        if step.wave is not None:
            waves.setdefault(step.wave, []).append(step.stage)
    lines = [f"wave {wave}: {', '.join(stages)}" for wave, stages in sorted(waves.items())]
    return "\n".join(lines) or "nothing changed"


def in_a_line(outcomes: Sequence[Outcome], experiment: str = "") -> str:
    """How many stages came to what, and of those that failed which, with what code and last words."""
    counted = ", ".join(f"{count} {state}" for state, count in Counter(outcome.state for outcome in outcomes).items())
    failed = [
        f"{outcome.stage} ended with {outcome.code}:\n{outcome.message}"
        for outcome in outcomes
        if outcome.state == FAILED
    ]
    return "\n".join([(f"experiment {experiment}: " if experiment else "") + (counted or "no stages"), *failed])


def markdown(
    outcomes: Sequence[Outcome],
    metrics: Sequence[tuple[str, str, Any, Any]],
    links: Mapping[str, str],
    experiment: str = "",
) -> str:
    """A table of the stages, one of the metrics that differ from the last commit's, and links."""
    parts = [f"Experiment `{experiment}`: `dvc exp show`, `dvc exp apply {experiment}`"] if experiment else []
    parts += [_table(("stage", "state", "seconds"), [(o.stage, o.state, f"{o.seconds:.1f}") for o in outcomes])]
    parts += [f"`{o.stage}` ended with {o.code}:\n\n```\n{o.message}\n```" for o in outcomes if o.state == FAILED]
    if metrics:
        rows = [
            (f"{file} {metric}", _figure(then), _figure(now), _change(then, now)) for file, metric, then, now in metrics
        ]
        parts.append(_table(("metric", "last commit", "now", "change"), rows))
    else:
        parts.append("No metric differs from the last commit's.")
    parts += [f"{name}: [{target}]({target})" for name, target in links.items()]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "" if value is None else str(value)


def _change(then: Any, now: Any) -> str:
    known = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (then, now))
    return f"{now - then:+.4f}" if known else ""
