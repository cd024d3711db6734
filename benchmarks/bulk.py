"""From raw text to label: rows a second of `linear` and of fastText, with one core and with two.

    python benchmarks/bulk.py ag_news=PROJECT bbc_news=PROJECT

Each PROJECT is a clone after `make run`: its data/clean and its bundle of `linear`. fastText trains on the same rows
with the settings that won in `make bench`, and reads texts as there; "bare" reads them in lower case alone, and its
accuracy was not measured. Neither tokenizer runs on two threads, so two cores are two processes, half the rows each;
ONNX Runtime's two threads in one process are measured too. Contenders take turns, and the best turn counts. Seconds of
a core are beside the clock's, since others may use the machine.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from contenders import FastText, Predict

ROWS, TURNS = {"ag_news": 20_000, "bbc_news": 4_000}, 3
SETTINGS = {
    "ag_news": {"wordNgrams": 3, "epoch": 5, "lr": 0.5, "dim": 100},
    "bbc_news": {"wordNgrams": 2, "epoch": 15, "lr": 0.5, "dim": 100},
}
WAYS = [("linear", 1, 1), ("fastText", 1, 1), ("fastText bare", 1, 1)]  # contender, processes, threads of each
WAYS += [("linear", 1, 2), ("linear", 2, 1), ("fastText", 2, 1), ("fastText bare", 2, 1)]


def load(contender: str, project: Path, folder: Path, threads: int) -> Predict:
    """Return what labels texts."""
    if contender == "linear":
        from gazette.core.bundle import Bundle

        bundle = Bundle(project / "models/candidates/linear", threads)
        return lambda texts: [bundle.labels[number] for number in bundle.probabilities(texts).argmax(axis=1)]
    if contender == "fastText":
        return FastText({"settings": {}}).load(folder)
    import fasttext

    model = fasttext.load_model(str(folder / "model.bin"))
    return lambda texts: model.predict([text.lower().replace("\n", " ") for text in texts])[0]


def measure(contender: str, project: str, folder: str, threads: str, rows: str) -> None:
    """Label so many rows, when a line arrives on standard input, and print seconds of the clock and of a core."""
    table = pl.read_parquet(Path(project) / "data/clean/test.parquet")
    texts = (table["text"].to_list() * -(-int(rows) // table.height))[: int(rows)]
    predict = load(contender, Path(project), Path(folder), int(threads))
    predict(texts[:100])
    print(flush=True)
    sys.stdin.readline()
    began, busy = time.perf_counter(), time.process_time()
    predict(texts)
    print(json.dumps([time.perf_counter() - began, time.process_time() - busy]))


def take_turn(contender: str, processes: int, threads: int, project: str, folder: str, rows: int) -> tuple[float, ...]:
    """Return rows per second of the clock and of a core."""
    words = [sys.executable, __file__, "--measure", contender, project, folder, str(threads), str(rows // processes)]
    running = [
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for _ in range(processes)
    ]
    pipes: list[Any] = [(process.stdin, process.stdout) for process in running]
    for _, out in pipes:
        out.readline()  # loaded
    for begin, _ in pipes:
        begin.write("\n")
        begin.flush()
    clock, core = zip(*(json.loads(out.readline()) for _, out in pipes), strict=True)
    for process in running:
        process.wait()
    return rows / max(clock), rows / sum(core)


def main(corpus: str, project: str) -> None:
    """Train fastText on a corpus and print a line for each way."""
    train = pl.read_parquet(Path(project) / "data/clean/train.parquet")
    labels = json.loads((Path(project) / "models/candidates/linear/bundle.json").read_text())["labels"]
    with tempfile.TemporaryDirectory() as folder:
        FastText({"settings": SETTINGS[corpus]}).train(train, train, labels, Path(folder))
        turns = [[take_turn(*way, project, folder, ROWS[corpus]) for way in WAYS] for _ in range(TURNS)]
    print(f"\n{corpus}, {ROWS[corpus]:,} rows\n\n| | processes | threads | rows/s | rows per core second |")
    print("|---|---|---|---|---|")
    for number, (contender, processes, threads) in enumerate(WAYS):
        clock, core = (max(turn[number][side] for turn in turns) for side in (0, 1))
        print(f"| {contender} | {processes} | {threads} | {clock:,.0f} | {core:,.0f} |")


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        measure(*sys.argv[2:])
    else:
        for words in sys.argv[1:]:
            main(*words.split("="))
