"""The comment on a proposed change, in Markdown, for who reviews it; pure.

It may be public and is mailed, so it quotes no article unless asked to: a file, a line and two labels lead whoever has
the corpus to the text.
"""

import re
from typing import Any

from gazette.core.errors import BrokenContract, Misconfigured
from gazette.core.escape import shown
from gazette.evaluation import markdown
from gazette.evaluation.ci.breach import Breach
from gazette.evaluation.ci.quoting import MOST, NAMED, code, cut, folded, several, table
from gazette.evaluation.ci.review import Account
from gazette.registry.verdict import ACCEPT, CANNOT_TELL, PASS, Verdict

WORDS = {"reject": "Rejected", "cannot tell": "Cannot tell"}
SEEN = re.compile(r"[;:.]? seen: .*", re.IGNORECASE)  # what a message quotes of a raw file
UNFINISHED = "## ❌ No verdict\n\nThe run did not come to an end; its log says why.\n"


def render(account: Account, link: str = "") -> str:
    """The whole comment; `link` leads to where the report lies, if anywhere."""
    parts = [
        f"## {headline(account)}",
        _who(account),
        _warnings(account),
        *(_judged(account.verdict) if account.verdict else [_stopped(account)]),
        _changed(account),
        _flipped(account),
        _footer(account, link),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def headline(account: Account) -> str:
    """What came of it, in a line."""
    verdict = account.verdict
    if verdict is None:
        if account.code == BrokenContract.code:
            return "❌ The corpus breaks its contract"
        return "❌ Cannot be judged" if account.code == Misconfigured.code else "❌ A bug of Gazette's own"
    against = code(account.base.asked) if account.base else "the base"
    difference = verdict.figures.get("difference", {}).get("macro_f1")
    moved = f", macro-F1 {_signed(difference)} against {against}" if difference else ""
    if verdict.word != ACCEPT:
        rules = dict.fromkeys(one.rule for one in verdict.findings if one.blocks and one.outcome != PASS)
        needed = verdict.figures.get("difference", {}).get("rows_needed") if verdict.word == CANNOT_TELL else 0
        enough = f"; {verdict.figures['rows']:,} test rows, about {needed:,} would do" if needed else ""
        return f"{markdown.MARKS[verdict.word]} {WORDS[verdict.word]}{moved}: {markdown.cell(', '.join(rules))}{enough}"
    if account.code:
        return f"❌ Not accepted: `dvc.lock` belongs to other inputs{moved}"
    return f"✅ Accepted{moved}"


def _signed(difference: dict[str, float]) -> str:
    return "{difference:+.4f} ({low:+.4f} to {high:+.4f})".format(**difference).replace("-", "−")


def _who(account: Account) -> str:
    dirty = f" with {len(account.uncommitted)} uncommitted files" if account.uncommitted else ""
    base, verdict = account.base, account.verdict
    against = f", against {code(base.asked)} at {base.commit[:9]}" if base else ""
    bundle = f", bundle {verdict.digest[:9]} on {verdict.figures['rows']:,} test rows" if verdict else ""
    return f"Judged: {account.head[:9]}{dirty}{against}{bundle}."


def _warnings(account: Account) -> str:
    said = [markdown.cell(note) for note in account.notes]
    if account.judges:
        said.append(f"This change changes what judges it: {several(account.judges)}. It is judged by its own rules.")
    if account.behind:
        said.append(f"The base has {account.behind:,} commits that are not here; what they changed counts backwards.")
    if account.base and account.base.remade:
        found = "the same bytes" if account.base.same else "other bytes than its `dvc.lock` names"
        said.append(f"The base's bundle was neither in DVC's cache nor in its remote; made again here, to {found}.")
    if account.lock.inputs:
        said.append(
            f"The committed `dvc.lock` was not made from what is committed with it: {several(account.lock.inputs)}. "
            "Run `gazette run` and commit what it changes, or commit the `dvc.lock` that this run made."
        )
    if account.lock.outputs:
        said.append(
            f"The committed `dvc.lock` names other bytes than this machine made of the same inputs: "
            f"{several(account.lock.outputs)}. Another machine can round otherwise; judged is what was made here."
        )
    return "\n".join(f"> ⚠️ {line}  " for line in said)


def _judged(verdict: Verdict) -> list[str]:
    """Rules that did not pass, metrics, slices, and all rules to unfold."""
    bad = [
        f"- {_mark(one.outcome, one.blocks)} **{markdown.cell(one.rule)}**: {markdown.cell(str(one.observed))}, "
        f"expected {markdown.cell(str(one.expected))}" + (f"; {markdown.cell(one.why)}" if one.why else "")
        for one in verdict.findings
        if one.outcome != PASS
    ]
    passed = sum(one.outcome == PASS for one in verdict.findings)
    every = folded(f"{passed} of {len(verdict.findings)} rules passed", markdown.rules(verdict))
    return ["\n".join(cut(bad)), markdown.metrics(verdict), markdown.slices(verdict), every]


def _mark(outcome: str, blocks: bool) -> str:
    return markdown.MARKS[outcome] if blocks else "⚠️"


def _stopped(account: Account) -> str:
    if account.breach is None:
        told = [SEEN.sub("", line) for line in account.message.splitlines()[:MOST]]
        return "\n".join(f"> {markdown.cell(shown(line, 300))}  " for line in told)
    return _broken(account.breach)


def _broken(breach: Breach) -> str:
    rows = [
        [code(one["severity"]), markdown.cell(one["expects"]), code(one["observed"]), markdown.cell(one["meaning"])]
        for one in breach.expectations
    ]
    held = [[code(row["file"]), f"{row['line']:,}", code(row["reason"], 160)] for row in breach.rows]
    parts = [
        table(["severity", "expected", "observed", "why it matters"], rows),
        f"{breach.quarantined:,} rows ({breach.share:.1%}) break the row contract; `validate.max_quarantined` allows "
        f"{breach.allowed:.1%}." + (" The first of them:" if held else ""),
        table(["file", "line", "reason"], held),
        "Nothing was trained. Correct the corpus or its description, then `dvc add` it; or the bounds in section "
        "`validate` of `params.yaml`, where they are too strict for it.",
    ]
    return "\n\n".join(part for part in parts if part)


def _changed(account: Account) -> str:
    """Params, code that stages run, packages and articles."""
    rows = [[code(one["name"]), _value(one["before"]), _value(one["after"])] for one in account.params]
    params = table(["param", "base", "here"], rows)
    files = [one["path"] for one in account.difference.get("code", []) if one["stages"]]
    packages = [f"{one['name']} {one['before']} → {one['after']}" for one in account.difference.get("packages", [])]
    parts = [
        f"Params that changed:\n\n{params}" if params else "",
        f"Code of stages that changed: {several(files)}." if files else "",
        f"Packages that changed: {several(packages)}." if packages else "",
        _articles(account.difference.get("data", {})),
    ]
    found = "\n\n".join(part for part in parts if part)
    return found or ("Params, code, packages and articles are the base's." if account.difference else "")


def _articles(data: dict[str, Any]) -> str:
    counts = ", ".join(f"{count:,} {word}" for word, count in data.get("changes", {}).items() if count)
    said = [
        f"{code(one['label_before'])} → {code(one['label'])} {one['articles']:,}" for one in data.get("relabelled", [])
    ]
    return f"Articles: {counts}." + (f" Relabelled: {', '.join(said[:NAMED])}." if said else "") if counts else ""


def _value(value: Any) -> str:
    return "" if value is None else code(value)


def _flipped(account: Account) -> str:
    """How many articles flipped, and the first of them, those that got worse before the others."""
    rows = account.flipped
    paired = account.difference.get("metrics", {}).get("paired", {})
    quoted = any("excerpt" in row for row in rows)
    cells = [
        [code(row["file"]), f"{row['line']:,}", code(row["label"]), f"{code(row['before'])} → {code(row['after'])}",
         f"{row['probability']:.2f}", row["change"], *([code(row["excerpt"], 200)] if quoted else [])]
        for row in rows
    ]  # fmt: skip
    head = ["file", "line", "label", "base → here", "probability", "", *(["text"] if quoted else [])]
    count = (
        f"{paired['flipped']:,} of {paired['articles']:,} test articles flipped" if paired else "Articles that flipped"
    )
    return f"{count}:\n\n{table(head, cells)}" if rows else ""


def _footer(account: Account, link: str) -> str:
    return f"[The report and the `dvc.lock` of this run]({link}) are artifacts of it." if link else ""
