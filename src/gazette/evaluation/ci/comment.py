"""The comment on a proposed change, in Markdown, for its reviewer; pure.

It may be public and is mailed, so it quotes no article unless requested: a file, a line and two labels lead anyone who
has the corpus to the text.
"""

import re
from typing import Any

from prefect_dvc.core.errors import ConfigError, DataContractError
from prefect_dvc.core.escape import escape

from gazette.evaluation import markdown
from gazette.evaluation.ci.breach import render_breach
from gazette.evaluation.ci.quoting import MAX_LINES, MAX_NAMED, code_span, code_table, details, join_codes, truncate
from gazette.evaluation.ci.review import Review
from gazette.evaluation.markdown import escape_cell
from gazette.registry.verdict import ACCEPT, PASS, Verdict

WORDS = {"reject": "Rejected", "inconclusive": "Inconclusive"}
QUOTED = re.compile(r"[;:.]? seen: .*", re.IGNORECASE)  # what a message quotes of a raw file
UNFINISHED = "## ❌ No verdict\n\nThe run did not finish; its log says why.\n"


def render_comment(review: Review, link: str = "") -> str:
    """Render the whole comment; `link` leads to the report, if it was published."""
    parts = [
        f"## {headline(review)}",
        _subject(review),
        _warnings(review),
        *(_judged(review.verdict) if review.verdict else [_stopped(review)]),
        _changes(review),
        _flipped(review),
        f"[The report and the `dvc.lock` of this run]({link}) are its artifacts." if link else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def is_comment(content: bytes) -> bool:
    """Whether a file's content is a comment that `gazette ci` wrote."""
    return content == UNFINISHED.encode() or bool(re.search(rb"\A## [^\n]+\n\nJudged: [0-9a-f]{9}\b", content))


def headline(review: Review) -> str:
    """Return the outcome in a line."""
    verdict = review.verdict
    if verdict is None:
        if review.code == DataContractError.code:
            return "❌ The corpus breaks its contract"
        return "❌ Cannot be judged" if review.code == ConfigError.code else "❌ Internal error of Gazette"
    against = code_span(review.base.revision) if review.base else "the base"
    difference = verdict.figures.get("difference", {}).get("macro_f1")
    moved = f", macro-F1 {_signed(difference)} against {against}" if difference else ""
    if verdict.word != ACCEPT:
        names = escape_cell(", ".join(verdict.unmet))
        return f"{markdown.MARKS[verdict.word]} {WORDS[verdict.word]}{moved}: {names}{verdict.rows_needed}"
    if review.code:
        return f"❌ Not accepted: `dvc.lock` belongs to other inputs{moved}"
    return f"✅ Accepted{moved}"


def _signed(difference: dict[str, float]) -> str:
    return "{difference:+.4f} ({low:+.4f} to {high:+.4f})".format(**difference).replace("-", "−")


def _subject(review: Review) -> str:
    dirty = f" with {len(review.uncommitted)} uncommitted files" if review.uncommitted else ""
    base, verdict = review.base, review.verdict
    against = f", against {code_span(base.revision)} at {base.commit[:9]}" if base else ""
    bundle = f", bundle {verdict.digest[:9]} on {verdict.figures['rows']:,} test rows" if verdict else ""
    return f"Judged: {review.head[:9]}{dirty}{against}{bundle}."


def _warnings(review: Review) -> str:
    lines = [escape_cell(note) for note in review.notes]
    if review.judges:
        lines.append(f"This change changes what judges it: {join_codes(review.judges)}. It is judged by its own rules.")
    if review.behind:
        lines.append(
            f"This branch is {review.behind:,} commits behind its base; rebase first, or the base's changes show up "
            "reversed."
        )
    if review.base and review.base.rebuilt:
        result = "the same bytes" if review.base.same else "other bytes than its `dvc.lock` names"
        lines.append(f"The base's bundle was neither in DVC's cache nor in its remote; rebuilt here, with {result}.")
    if review.lock.inputs:
        lines.append(
            f"The committed `dvc.lock` was not made from what is committed with it: {join_codes(review.lock.inputs)}. "
            "Run `gazette run` and commit what it changes, or commit the `dvc.lock` that this run made."
        )
    if review.lock.outputs:
        lines.append(
            f"The committed `dvc.lock` names other bytes than this machine made from the same inputs: "
            f"{join_codes(review.lock.outputs)}. Another machine may round differently; the files made here are judged."
        )
    return "\n".join(f"> ⚠️ {line}  " for line in lines)


def _judged(verdict: Verdict) -> list[str]:
    """Render the rules that did not pass, metrics, slices, and all rules in a section that unfolds."""
    failed = [
        f"- {markdown.MARKS[finding.outcome] if finding.blocks else '⚠️'} **{escape_cell(finding.rule)}**: "
        f"{escape_cell(str(finding.observed))}, expected {escape_cell(str(finding.expected))}"
        + (f"; {escape_cell(finding.why)}" if finding.why else "")
        for finding in verdict.findings
        if finding.outcome != PASS
    ]
    title = f"{len(verdict.findings) - len(failed)} of {len(verdict.findings)} rules passed"
    rules = details(title, markdown.rules_table(verdict))
    return ["\n".join(truncate(failed)), markdown.metrics_table(verdict), markdown.slices_table(verdict), rules]


def _stopped(review: Review) -> str:
    if review.breach is None:
        lines = [QUOTED.sub("", line) for line in review.message.splitlines()[:MAX_LINES]]
        return "\n".join(f"> {escape_cell(escape(line, 300))}  " for line in lines)
    return render_breach(review.breach)


def _changes(review: Review) -> str:
    rows = [[code_span(param["name"]), _value(param["before"]), _value(param["after"])] for param in review.params]
    params = code_table(["param", "base", "here"], rows)
    code = [
        f"{change['from']} → {change['path']}" if change.get("from") else change["path"]
        for change in review.difference.get("code", [])
        if change["stages"]
    ]
    packages = [
        f"{change['name']} {change['before']} → {change['after']}" for change in review.difference.get("packages", [])
    ]
    parts = [
        f"Params that changed:\n\n{params}" if params else "",
        f"Code of stages that changed: {join_codes(code)}." if code else "",
        f"Packages that changed: {join_codes(packages)}." if packages else "",
        _articles(review.difference.get("data", {})),
    ]
    text = "\n\n".join(part for part in parts if part)
    return text or ("Params, code, packages and articles are the same as in the base." if review.difference else "")


def _articles(data: dict[str, Any]) -> str:
    counts = ", ".join(f"{count:,} {change}" for change, count in data.get("changes", {}).items() if count)
    moves = [
        f"{code_span(row['label_before'])} → {code_span(row['label'])} {row['articles']:,}"
        for row in data.get("relabeled", [])
    ]
    return f"Articles: {counts}." + (f" Relabeled: {', '.join(moves[:MAX_NAMED])}." if moves else "") if counts else ""


def _value(value: Any) -> str:
    return "" if value is None else code_span(value)


def _flipped(review: Review) -> str:
    """Render the number of flipped articles and the first of them, those that got worse before the others."""
    rows = review.flipped
    paired = review.difference.get("metrics", {}).get("paired", {})
    quoted = any("excerpt" in row for row in rows)
    cells = [
        [code_span(row["file"]), f"{row['line']:,}", code_span(row["label"]),
         f"{code_span(row['before'])} → {code_span(row['after'])}",
         f"{row['probability']:.2f}", row["change"], *([code_span(row["excerpt"], 200)] if quoted else [])]
        for row in rows
    ]  # fmt: skip
    head = ["file", "line", "label", "base → here", "probability", "", *(["text"] if quoted else [])]
    count = (
        f"{paired['flipped']:,} of {paired['articles']:,} test articles flipped" if paired else "Articles that flipped"
    )
    return f"{count}:\n\n{code_table(head, cells)}" if rows else ""
