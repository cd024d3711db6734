"""A verdict in Markdown, for a reviewer."""

from typing import Any

from gazette.core.escape import shown
from gazette.registry.verdict import CANNOT_TELL, PASS, Verdict

MARKS = {"accept": "✅", "reject": "❌", "cannot tell": "❓", "pass": "✅", "fail": "❌", "unknown": "❓"}


def whole(verdict: Verdict) -> str:
    """The verdict in a line, then its parts."""
    parts = [f"## {MARKS[verdict.word]} {in_a_line(verdict)}", metrics(verdict), rules(verdict), slices(verdict)]
    return "\n\n".join(part for part in parts if part)


def in_a_line(verdict: Verdict) -> str:
    """What was decided, on what against what, and the first reasons."""
    other = verdict.other
    than = f" against {other['asked']} ({other['digest'][:9]})" if other else f" ({verdict.figures['compared']})"
    bad = [one for one in verdict.findings if one.blocks and one.outcome != PASS]
    why = f": {'; '.join(dict.fromkeys(one.rule for one in bad))}" if bad else ""
    if verdict.word == CANNOT_TELL and (needed := verdict.figures.get("difference", {}).get("rows_needed")):
        why += f"; {verdict.figures['rows']:,} test rows, about {needed:,} would do"
    return f"{verdict.word.capitalize()} {verdict.corpus} {verdict.digest[:9]}{than}{why}"


def metrics(verdict: Verdict) -> str:
    """Accuracy and macro-F1 of both, with the interval of the difference."""
    figures = verdict.figures
    if "theirs" not in figures:
        rows = [[name, f"{value:.4f}"] for name, value in figures["ours"].items()]
        return table(["", "here"], rows)
    rows = [
        [name, f"{figures['theirs'][name]:.4f}", f"{figures['ours'][name]:.4f}",
         f"{one['difference']:+.4f} ({one['low']:+.4f} to {one['high']:+.4f})"]
        for name in ("accuracy", "macro_f1")
        for one in [figures["difference"][name]]
    ]  # fmt: skip
    eces = [figures[side]["ece"] for side in ("theirs", "ours")]
    rows.append(["ece", *(f"{ece:.4f}" for ece in eces), f"{eces[1] - eces[0]:+.4f}"])
    apart = "{lost:,} right there alone, {won:,} here alone".format(**figures["difference"])
    said = f"On {figures['rows']:,} test rows, {cell(figures['compared'])}; {apart}."
    return f"{table(['', 'there', 'here', 'difference'], rows)}\n\n{said}"


def rules(verdict: Verdict) -> str:
    """A row for each rule, those that did not pass first."""
    order = sorted(verdict.findings, key=lambda one: (one.outcome == PASS, not one.blocks))
    rows = [
        [MARKS[one.outcome] if one.blocks or one.outcome == PASS else "⚠️", one.rule, str(one.observed),
         str(one.expected), one.why]
        for one in order
    ]  # fmt: skip
    return table(["", "rule", "observed", "expected", ""], rows)


def slices(verdict: Verdict, least: float = 0.005) -> str:
    """Slices whose accuracy moved."""
    moved = [one for one in verdict.figures.get("slices", []) if abs(one["ours"] - one["theirs"]) >= least]
    rows = [
        [f"{one['slice']} {one['value']}", f"{one['rows']:,}", f"{one['theirs']:.4f}", f"{one['ours']:.4f}",
         f"{one['p']:.3f}"]
        for one in sorted(moved, key=lambda one: one["ours"] - one["theirs"])
    ]  # fmt: skip
    return f"Slices that moved:\n\n{table(['slice', 'rows', 'there', 'here', 'p'], rows)}" if rows else ""


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A table whose cells can hold anything."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell(str(value)) for value in line)} |" for line in lines)


def cell(text: str) -> str:
    """Text that stays in its cell and starts no markup, mention or tag, and hides nothing."""
    line = " ".join(text.split())
    escaped = shown(line, 6 * len(line)).replace("\\", "\\\\").replace("&", "&#38;")
    for mark in "|<>`*_[]@":
        escaped = escaped.replace(mark, f"&#{ord(mark)};" if mark in "<>@" else f"\\{mark}")
    return escaped.replace("&#64;", "&#64;&#8288;")  # a word joiner: GitHub looks for mentions after entities are read
