"""Our families against what a user would choose instead, on the same rows: `make bench`.

    python benchmarks/bench.py                                  everything, three times; resumes where it stopped
    python benchmarks/bench.py --corpus bbc_news --repeats 1    all contenders on one corpus
    python benchmarks/bench.py --corpus ag_news --contender linear --repeats 1

Corpora are those of data/corpora with raw files in data/raw, split once by `gazette validate` and `preprocess`. Every
measurement is a separate process. Of several settings the one with the best validation accuracy is used. Figures are
stored in .gazette/bench, and the tables are written to docs/benchmarks/models.md, both after each measurement.
"""

import hashlib
import json
import re
import resource
import shutil
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
from stage_calls import stage_command

FOLDER, PAGE = Path(".gazette/bench"), Path("docs/benchmarks/models.md")
BULK_ROWS = 10_000  # at least, the test rows repeated
SINGLE_ROWS = 200  # articles, one by one
LONG = 60  # seconds of training beyond which it is measured once
SVM, FASTTEXT = "TF-IDF + linear SVM", "fastText"
Figures = dict[str, Any]


def read(path: str | Path) -> Any:
    return YAML(typ="safe", pure=True).load(Path(path))


def field() -> dict[str, dict[str, Any]]:
    """Return every contender with its options."""
    numbers = read("params.yaml")
    code = b"".join(path.read_bytes() for path in sorted(Path("src/gazette").rglob("*.py")))
    common = {"by": "ours", "params": numbers["train"], "code": hashlib.md5(code).hexdigest(), "settings": [{}]}
    ours = {
        name: common | {"candidate": name, "models": {name: model}}
        for name, model in numbers["models"].items()
        if model["family"] not in ("bert", "static")  # which start from a pretrained encoder
    }
    return read(Path(__file__).with_name("contenders.yaml")) | ours


def split(corpus: str) -> Path:
    """Return the folder with the splits of a corpus, created once, with the bounds of its own description."""
    folder, description = FOLDER / corpus, Path(f"data/corpora/{corpus}.yaml")
    if not (folder / "test.parquet").exists():
        (folder / description.parent).mkdir(parents=True, exist_ok=True)
        shutil.copy(description, folder / description)
        params = re.sub(r"(?m)^corpus: \S+", f"corpus: {corpus}", Path("params.yaml").read_text(encoding="utf-8"))
        (folder / "params.yaml").write_text(params, encoding="utf-8")
        raw = str(Path("data/raw", corpus).resolve())
        for stage, paths in (("validate", {"raw": raw}), ("preprocess", {})):
            command = stage_command(stage, description=str(description), **paths)
            subprocess.run(command, check=True, cwd=folder)
    return folder


def measure(corpus: str, options: dict[str, Any], split_name: str) -> Figures:
    """Train one contender in this process and evaluate it on a split."""
    rows = FOLDER / corpus
    description = f"data/corpora/{corpus}.yaml"
    labels = read(description)["labels"]
    tables = {name: pl.read_parquet(rows / f"{name}.parquet", columns=["text", "label"]) for name in ("train", "valid")}
    evaluated = pl.read_parquet(rows / f"{split_name}.parquet", columns=["text", "label"])
    contender = contenders.BY[options["by"]](options | {"rows": str(rows), "description": description})
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        contender.train(tables["train"], tables["valid"], labels, Path(folder))
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        predict = contender.load(Path(folder))
        texts = evaluated["text"].to_list()
        predicted = predict(texts)
        figures = {
            "accuracy": accuracy_score(evaluated["label"], predicted),
            "macro_f1": f1_score(evaluated["label"], predicted, average="macro"),
            "seconds": seconds,
            "megabytes": sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6,
            "peak": peak / 1024,
            "right": "".join("01"[right] for right in evaluated["label"] == pl.Series(predicted)),
        }
        if split_name == "test":
            many = texts * -(-BULK_ROWS // len(texts))
            began = time.perf_counter()
            predict(many)
            figures["rows_a_second"] = len(many) / (time.perf_counter() - began)
            figures["milliseconds"] = 1000 * statistics.median(_single_times(predict, texts[:SINGLE_ROWS]))
    return figures


def _single_times(predict: contenders.Predict, texts: list[str]) -> Iterator[float]:
    for text in texts:
        began = time.perf_counter()
        predict([text])
        yield time.perf_counter() - began


def measure_once(corpus: str, name: str, options: dict[str, Any], split_name: str, repeat: int) -> Figures:
    """Return the stored figures of one measurement, or measure in a separate process."""
    path = FOLDER / corpus / "figures.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    key = json.dumps([name, options, split_name, repeat], sort_keys=True, ensure_ascii=False)
    if key not in known:
        click.echo(f"{corpus}: {name} {options['settings'] or ''} on {split_name}, {repeat}", err=True)
        words = [sys.executable, __file__, "--measure", corpus, "--split", split_name]
        done = subprocess.run(words, input=json.dumps(options), stdout=subprocess.PIPE, text=True, check=True)
        known[key] = json.loads(done.stdout.splitlines()[-1])
        path.write_text(json.dumps(known, indent=1, ensure_ascii=False))
        click.echo(f"  {known[key]}", err=True)
    return known[key]


def compete(corpus: str, name: str, options: dict[str, Any], repeats: int) -> Figures:
    """Return medians of one contender on one corpus, with the settings that won on the validation rows."""
    choices = [options | {"settings": settings} for settings in options["settings"]]
    if len(choices) > 1:
        choices.sort(key=lambda choice: -measure_once(corpus, name, choice, "valid", 1)["accuracy"])
    runs = [measure_once(corpus, name, choices[0], "test", 1)]
    if runs[0]["seconds"] < LONG:
        runs += [measure_once(corpus, name, choices[0], "test", repeat) for repeat in range(2, repeats + 1)]
    medians = {key: statistics.median(run[key] for run in runs) for key in runs[0] if key != "right"}
    return medians | {"right": runs[0]["right"], "settings": choices[0]["settings"], "runs": len(runs)}


def difference(first: str, second: str) -> str:
    """Return how many points of accuracy the first has more, and the 95% interval of paired rows."""
    gain = pl.Series([int(mine) - int(its) for mine, its in zip(first, second, strict=True)])
    mean, half = 100 * gain.mean(), 196 * gain.std() / len(gain) ** 0.5
    return f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"


def table(results: dict[str, Figures]) -> str:
    """Return a Markdown table, best accuracy first; times relative to the SVM, speed to fastText, if they ran."""
    columns = ["", "accuracy", "more than the SVM's", "macro-F1", "seconds to train", "of the SVM's"]
    columns += ["rows a second", "of fastText's", "ms alone", "MB", "peak MB"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, figures in sorted(results.items(), key=lambda item: -item[1]["accuracy"]):
        slower = f"{figures['seconds'] / results[SVM]['seconds']:.2f}" if SVM in results else ""
        faster = f"{figures['rows_a_second'] / results[FASTTEXT]['rows_a_second']:.2f}" if FASTTEXT in results else ""
        more = difference(figures["right"], results[SVM]["right"]) if SVM in results and name != SVM else ""
        cells = [name, f"{figures['accuracy']:.2%}", more, f"{figures['macro_f1']:.4f}", f"{figures['seconds']:.1f}"]
        cells += [slower, f"{figures['rows_a_second']:,.0f}", faster, f"{figures['milliseconds']:.2f}"]
        cells += [f"{figures['megabytes']:.1f}", f"{figures['peak']:,.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    settings = [f"- {name}: {figures['settings']}" for name, figures in results.items() if figures["settings"]]
    once = ", ".join(name for name, figures in results.items() if figures["runs"] == 1)
    lines += ["", f"Measured once: {once}."] if once else []
    return "\n".join([*lines, "", "Settings that won on the validation rows:", "", *settings])


def write(corpus: str, lines: str) -> None:
    """Write the table of one corpus into the page, between its two marks, under its heading."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition("<!-- bench -->\n")
    body, _, after = rest.partition("<!-- /bench -->\n")
    sections = dict(re.findall(r"(?ms)^### (\S+)\n\n(.*?)(?=\n+### |\n*\Z)", body)) | {corpus: lines}
    body = "\n\n".join(f"### {name}\n\n{section}" for name, section in sorted(sections.items()))
    PAGE.write_text(f"{before}<!-- bench -->\n{body}\n<!-- /bench -->\n{after}", encoding="utf-8")


@click.command()
@click.option("--corpus", "corpora", multiple=True, help="Only these corpora.")
@click.option("--contender", "names", multiple=True, help="Only these contenders; the page is not written.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--measure", "measured", hidden=True)
@click.option("--split", "split_name", default="test", hidden=True)
def main(corpora: tuple[str, ...], names: tuple[str, ...], repeats: int, measured: str | None, split_name: str) -> None:
    """Compare our families with what a user would choose instead."""
    if measured:
        click.echo(json.dumps(measure(measured, json.load(sys.stdin), split_name)))
        return
    available = [path.name for path in sorted(Path("data/raw").iterdir()) if path.is_dir()]
    for corpus in corpora or available:
        split(corpus)
        results = {}
        for name in [name for name in field() if not names or name in names]:
            results[name] = compete(corpus, name, field()[name], repeats)
            if not names:
                write(corpus, table(results))
        click.echo(f"\n{corpus}\n{table(results)}")


if __name__ == "__main__":
    main()
