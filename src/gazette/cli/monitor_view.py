"""What the monitor saw, on a terminal."""

from typing import TYPE_CHECKING, Any

from gazette.cli import tables
from gazette.core.escape import tally
from gazette.monitoring.thresholds import MIN_WINDOWS

if TYPE_CHECKING:
    from gazette.monitoring.observation import Observation
    from gazette.training.explanation.domain import Difference

SHOWN = 8  # windows


def show(observation: "Observation", words: "Difference | None", delays: list[dict[str, Any]]) -> None:
    """Print the verdict, errors, signals, the newest windows, words and delays."""
    parts: list[Any] = [_headline(observation), *observation.notes, _errors(observation)]
    if observation.windows:
        newest = observation.windows[-1]
        parts += ["", f"{newest['from']} to {newest['to']} against {observation.reference}:", _signals(newest)]
        if not newest["thresholds"]:
            parts.append(f"No thresholds yet: the reference needs {MIN_WINDOWS} windows")
        parts += ["", _windows(observation.windows[-SHOWN:])]
    else:
        parts.append(
            f"Signals: {tally(observation.records, 'record')}, and no window is complete; the next one is on "
            f"{observation.next_end}"
        )
    if words:
        listed = ", ".join(f"{row['word']} {row['weight']:+.2f}" for row in words.words[:10])
        parts += ["", f"Words that differ (AUC {words.auc:.2f}, 0.5 by chance): {listed}"]
    if delays:
        parts += ["", "Weeks until a loss is detected, nine times in ten, by labels a week:", _delays(delays)]
    tables.show(*parts)


def _headline(observation: "Observation") -> str:
    alarms = [*(["errors"] if observation.cusum.alarm_at is not None else []), *observation.unlabeled_alarms]
    version = f"version {observation.version}" if observation.version else f"the bundle {observation.digest}"
    return f"{observation.name}, {version}: {'alarm (' + ', '.join(alarms) + ')' if alarms else 'quiet'}"


def _errors(observation: "Observation") -> str:
    if observation.accuracy is None:
        return f"Errors: no labels; {tally(observation.unanswered, 'question')} open (`gazette monitor ask`)"
    figures = observation.accuracy
    line = f"Errors: {tally(observation.labels, 'label')}, {figures['accuracy']:.1%} right ({figures['low']:.1%} to "
    line += f"{figures['high']:.1%}), {tally(observation.unanswered, 'question')} open"
    if observation.error is None:
        return line + "; the error of the reference is not known, so they cannot alarm"
    cusum = observation.cusum
    line += f"; reference {1 - observation.error:.1%}. CUSUM {cusum.statistic[-1]:.1f}, alarms at {cusum.interval:.1f}"
    return line + (f"; it alarmed on {observation.alarm_hour:%Y-%m-%d}" if observation.alarm_hour else "")


def _signals(newest: dict[str, Any]) -> Any:
    limits = newest["thresholds"]
    rows = [
        {
            "signal": name,
            "distance": f"{distance:.4f}",
            "threshold": f"{limits[name]:.4f}" if name in limits else None,
            "": "alarm" if name in newest["alarms"] else "",
        }
        for name, distance in newest["distances"].items()
    ]
    return tables.build_table(rows, right=("distance", "threshold"))


def _windows(windows: list[dict[str, Any]]) -> Any:
    rows = []
    for row in windows:
        labeled, unlabeled = row["labeled"], row.get("unlabeled")
        rows.append(
            {
                "window": row["from"],
                "articles": f"{row['rows']:,}",
                "accuracy by labels": labeled
                and f"{labeled['accuracy']:.1%} ({labeled['low']:.1%} to {labeled['high']:.1%})",
                "if only the mix changed: CBPE": unlabeled and f"{unlabeled['cbpe']:.1%}",
                "ATC": unlabeled and f"{unlabeled['atc']:.1%}",
                "alarms": ", ".join(row["alarms"]) or ("reference" if row["is_reference"] else ""),
            }
        )
    return tables.build_table(rows, right=("articles",))


def _delays(delays: list[dict[str, Any]]) -> Any:
    weekly = [str(number) for number in delays[0]["weeks"]]
    rows = [{"points lost": row["points"]} | dict(zip(weekly, row["weeks"].values(), strict=True)) for row in delays]
    return tables.build_table(rows, right=("points lost", *weekly))
