"""Our families against what a user would pick instead, on the same rows, one after another: `make bench`.

    python benchmarks/bench.py                                  all of it, three times; goes on where it was stopped
    python benchmarks/bench.py --corpus ag_news --contender linear --repeats 1

Corpora are those of data/corpora whose raw files lie in data/raw, split once by `gazette validate` and `preprocess`.
Every measurement is a process of its own. Of several settings the one with the best accuracy on the valid rows is
taken. Figures are kept in .gazette/bench, and the tables written into docs/benchmarks.md.
"""

import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import contenders
import polars as pl
from ruamel.yaml import YAML
from sklearn.metrics import accuracy_score, f1_score

KEPT, PAGE = Path(".gazette/bench"), Path("docs/benchmarks.md")
BULK = 10_000  # rows at least, the test rows again and again
ALONE = 200  # articles, one by one
LONG = 60  # seconds of training, from which one measurement must do
SVM, FASTTEXT = "TF-IDF + linear SVM", "fastText"
Figures = dict[str, Any]


def read(path: str | Path) -> Any:
    return YAML(typ="safe", pure=True).load(Path(path))


def field() -> dict[str, dict[str, Any]]:
    """Every contender with its options."""
    numbers = read("params.yaml")
    code = b"".join(path.read_bytes() for path in sorted(Path("src/gazette").rglob("*.py")))
    common = {"by": "ours", "params": numbers["train"], "code": hashlib.md5(code).hexdigest(), "settings": [{}]}
    ours = {
        name: common | {"candidate": name, "models": {name: model}}
        for name, model in numbers["models"].items()
        if model["family"] != "bert"  # which begins with what others trained
    }
    return read(Path(__file__).with_name("contenders.yaml")) | ours


def split(corpus: str) -> Path:
    """The folder with the splits of a corpus, made once."""
    folder, description = KEPT / corpus, f"data/corpora/{corpus}.yaml"
    if not (folder / "test.parquet").exists():
        folder.mkdir(parents=True, exist_ok=True)
        paths = [f"--valid-articles={folder}/articles.parquet", f"--description={description}"]
        validate = [f"--raw=data/raw/{corpus}", f"--quarantine={folder}/rejects.parquet", f"--docs={folder}/docs"]
        validate += [f"--examples={folder}/examples.parquet", f"--report={folder}/validation.json"]
        preprocess = [f"--{name}={folder}/{name}.parquet" for name in ("train", "valid", "test", "quarantine")]
        subprocess.run(["gazette", "validate", *paths, *validate], check=True)
        subprocess.run(["gazette", "preprocess", *paths, *preprocess, f"--report={folder}/split.json"], check=True)
    return folder


def measure(corpus: str, options: dict[str, Any], judged: str) -> Figures:
    """Trains one contender in this process and judges it on a split."""
    rows = KEPT / corpus
    description = f"data/corpora/{corpus}.yaml"
    labels = read(description)["labels"]
    tables = {name: pl.read_parquet(rows / f"{name}.parquet", columns=["text", "label"]) for name in ("train", "valid")}
    held = pl.read_parquet(rows / f"{judged}.parquet", columns=["text", "label"])
    contender = contenders.BY[options["by"]](options | {"rows": str(rows), "description": description})
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        contender.train(tables["train"], tables["valid"], labels, Path(folder))
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        predict = contender.load(Path(folder))
        texts = held["text"].to_list()
        found = predict(texts)
        figures = {
            "accuracy": accuracy_score(held["label"], found),
            "macro_f1": f1_score(held["label"], found, average="macro"),
            "seconds": seconds,
            "megabytes": sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6,
            "peak": peak / 1024,
        }
        if judged == "test":
            many = texts * -(-BULK // len(texts))
            began = time.perf_counter()
            predict(many)
            figures["rows_a_second"] = len(many) / (time.perf_counter() - began)
            figures["milliseconds"] = 1000 * statistics.median(_alone(predict, texts[:ALONE]))
    return figures


def _alone(predict: contenders.Predict, texts: list[str]) -> Iterator[float]:
    for text in texts:
        began = time.perf_counter()
        predict([text])
        yield time.perf_counter() - began


def kept(corpus: str, name: str, options: dict[str, Any], judged: str, repeat: int) -> Figures:
    """The figures of one measurement, made in a process of its own unless they are there."""
    path = KEPT / corpus / "figures.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    key = json.dumps([name, options, judged, repeat], sort_keys=True, ensure_ascii=False)
    if key not in known:
        click.echo(f"{corpus}: {name} {options['settings'] or ''} on {judged}, {repeat}", err=True)
        words = [sys.executable, __file__, "--one", corpus, "--judged", judged]
        done = subprocess.run(words, input=json.dumps(options), stdout=subprocess.PIPE, text=True, check=True)
        known[key] = json.loads(done.stdout.splitlines()[-1])
        path.write_text(json.dumps(known, indent=1, ensure_ascii=False))
        click.echo(f"  {known[key]}", err=True)
    return known[key]


def compete(corpus: str, name: str, options: dict[str, Any], repeats: int) -> Figures:
    """Medians of one contender on one corpus, with the settings that won on the valid rows."""
    choices = [options | {"settings": settings} for settings in options["settings"]]
    if len(choices) > 1:
        choices.sort(key=lambda choice: -kept(corpus, name, choice, "valid", 1)["accuracy"])
    runs = [kept(corpus, name, choices[0], "test", 1)]
    if runs[0]["seconds"] < LONG:
        runs += [kept(corpus, name, choices[0], "test", repeat) for repeat in range(2, repeats + 1)]
    medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return medians | {"settings": choices[0]["settings"], "runs": len(runs)}


def table(found: dict[str, Figures]) -> str:
    """A Markdown table, best accuracy first; times against the SVM's, speed against fastText's, where they ran."""
    columns = ["", "accuracy", "macro-F1", "seconds to train", "of the SVM's", "rows a second", "of fastText's"]
    columns += ["ms alone", "MB", "peak MB"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, one in sorted(found.items(), key=lambda item: -item[1]["accuracy"]):
        slower = f"{one['seconds'] / found[SVM]['seconds']:.2f}" if SVM in found else ""
        faster = f"{one['rows_a_second'] / found[FASTTEXT]['rows_a_second']:.2f}" if FASTTEXT in found else ""
        cells = [name, f"{one['accuracy']:.2%}", f"{one['macro_f1']:.4f}", f"{one['seconds']:.1f}", slower]
        cells += [f"{one['rows_a_second']:,.0f}", faster, f"{one['milliseconds']:.2f}"]
        cells += [f"{one['megabytes']:.1f}", f"{one['peak']:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    settings = [f"- {name}: {one['settings']}" for name, one in found.items() if one["settings"]]
    once = ", ".join(name for name, one in found.items() if one["runs"] == 1)
    lines += ["", f"Measured once: {once}."] if once else []
    return "\n".join([*lines, "", "Settings that won on the valid rows:", "", *settings])


def write(tables: dict[str, str]) -> None:
    """Puts the tables into the page, between the marks that a heading of each corpus makes."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- bench -->\n")
    _, _, after = rest.partition("<!-- /bench -->\n")
    body = "\n\n".join(f"### {corpus}\n\n{lines}" for corpus, lines in tables.items())
    PAGE.write_text(f"{before}<!-- bench -->\n{body}\n<!-- /bench -->\n{after}", encoding="utf-8")


@click.command()
@click.option("--corpus", "corpora", multiple=True, help="These alone.")
@click.option("--contender", "names", multiple=True, help="These alone; nothing is written into the page.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--one", hidden=True)
@click.option("--judged", default="test", hidden=True)
def main(corpora: tuple[str, ...], names: tuple[str, ...], repeats: int, one: str | None, judged: str) -> None:
    """Compare our families with what a user would pick instead."""
    if one:
        click.echo(json.dumps(measure(one, json.load(sys.stdin), judged)))
        return
    there = [path.name for path in sorted(Path("data/raw").iterdir()) if path.is_dir()]
    tables = {}
    for corpus in corpora or there:
        split(corpus)
        entered = {name: options for name, options in field().items() if not names or name in names}
        tables[corpus] = table({name: compete(corpus, name, one, repeats) for name, one in entered.items()})
        click.echo(f"\n{corpus}\n{tables[corpus]}")
    if not names and not corpora:
        write(tables)


if __name__ == "__main__":
    main()
