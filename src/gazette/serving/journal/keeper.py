"""The parent of a server keeps its journal tidy, in a process of its own, whose memory goes back when it ends."""

import multiprocessing
import signal
import threading
from pathlib import Path

from gazette.serving.journal import prune
from gazette.serving.journal.params import Params

FIRST_SECONDS, SECONDS = 60, 3600


def run(folder: Path, params: Params, stop: threading.Event) -> None:
    """Tidy the journal a minute from now and then every hour, until `stop` is set."""
    seconds = FIRST_SECONDS
    while not stop.wait(seconds):
        process = multiprocessing.get_context("spawn").Process(target=_tidy, args=(folder, params), daemon=True)
        process.start()
        process.join()
        seconds = SECONDS


def _tidy(folder: Path, params: Params) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the parent ends this process
    prune.try_tidy(folder, params)
