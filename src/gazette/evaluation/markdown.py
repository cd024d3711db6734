"""A verdict in Markdown, for a reviewer, and the tables that all Markdown of Gazette is made of."""

from collections.abc import Iterable, Sequence

from prefect_dvc.core.escape import escape
from tabulate import tabulate

from gazette.registry.verdict import PASS, Verdict

MARKS = {"accept": "✅", "reject": "❌", "inconclusive": "❓", "pass": "✅", "fail": "❌", "unknown": "❓"}
MOVED = 0.005
MAX_WHY = 400  # characters of a reason in a table, whose columns are as wide as their widest cell


def render_verdict(verdict: Verdict) -> str:
    """Render the verdict in a line, then its parts."""
    parts = [
        f"## {MARKS[verdict.word]} {summarize_verdict(verdict)}",
        metrics_table(verdict),
        rules_table(verdict),
        slices_table(verdict),
    ]
    return "\n\n".join(part for part in parts if part)


def summarize_verdict(verdict: Verdict) -> str:
    """Return the decision, the bundle, the baseline and the rules that did not pass, in one line."""
    baseline, figures = verdict.baseline, verdict.figures
    than = f" against {baseline['reference']} ({baseline['digest'][:9]})" if baseline else f" ({figures['compared']})"
    why = f": {'; '.join(verdict.unmet)}" if verdict.unmet else ""
    more = f"{why}{verdict.rows_needed}{verdict.looks}"
    return f"{verdict.word.capitalize()} {verdict.corpus} {verdict.digest[:9]}{than}{more}"


def metrics_table(verdict: Verdict) -> str:
    """Render the metrics of both bundles, with the interval of each difference."""
    figures = verdict.figures
    if "theirs" not in figures:
        return render_table(["", "here"], [[name, f"{value:.4f}"] for name, value in figures["ours"].items()])
    rows = []
    for name in ("accuracy", "macro_f1"):
        interval = "{difference:+.4f} ({low:+.4f} to {high:+.4f})".format(**figures["difference"][name])
        rows.append([name, *(f"{figures[side][name]:.4f}" for side in ("theirs", "ours")), interval])
    eces = [figures[side]["ece"] for side in ("theirs", "ours")]
    rows.append(["ece", *(f"{ece:.4f}" for ece in eces), f"{eces[1] - eces[0]:+.4f}"])
    discordant = "only the baseline is correct on {lost:,}, only this bundle on {won:,}".format(**figures["difference"])
    note = f"On {figures['rows']:,} test rows, {escape_cell(figures['compared'])}; {discordant}."
    return f"{render_table(['', 'baseline', 'here', 'difference'], rows)}\n\n{note}"


def rules_table(verdict: Verdict) -> str:
    """Render a row for each rule; those that did not pass come first."""
    rows = [
        [MARKS[finding.outcome] if finding.blocks or finding.outcome == PASS else "⚠️", finding.rule,
         finding.observed, finding.expected, finding.why[:MAX_WHY] + ("…" if len(finding.why) > MAX_WHY else "")]
        for finding in sorted(verdict.findings, key=lambda finding: (finding.outcome == PASS, not finding.blocks))
    ]  # fmt: skip
    return render_table(["", "rule", "observed", "expected", ""], rows)


def slices_table(verdict: Verdict) -> str:
    """Render the slices whose accuracy moved by at least `MOVED`."""
    moved = [row for row in verdict.figures.get("slices", []) if abs(row["ours"] - row["theirs"]) >= MOVED]
    rows = [
        [f"{row['slice']} {row['value']}", f"{row['rows']:,}", f"{row['theirs']:.4f}", f"{row['ours']:.4f}",
         f"{row['p']:.3f}"]
        for row in sorted(moved, key=lambda row: row["ours"] - row["theirs"])
    ]  # fmt: skip
    return f"Slices that moved:\n\n{render_table(['slice', 'rows', 'baseline', 'here', 'p'], rows)}" if rows else ""


def render_table(head: Sequence[str], rows: Iterable[Iterable[object]], *, markdown: bool = False) -> str:
    """Render a table of any values; with `markdown`, the cells are Markdown already and are not escaped."""
    cells = [[str(cell) if markdown else escape_cell(str(cell)) for cell in row] for row in rows]
    return str(tabulate(cells, head, tablefmt="github", disable_numparse=True))


def escape_cell(text: str) -> str:
    """Escape text so that it stays in its cell, contains no markup, mention or tag, and hides nothing."""
    line = " ".join(text.split())
    escaped = escape(line, 6 * len(line)).replace("\\", "\\\\").replace("&", "&#38;")
    for mark in "|<>`*_[]@":
        escaped = escaped.replace(mark, f"&#{ord(mark)};" if mark in "<>@" else f"\\{mark}")
    return escaped.replace("&#64;", "&#64;&#8288;")  # a word joiner: GitHub looks for mentions after decoding entities
