"""Compaction and bounds of the journal: nothing is lost, nothing counts twice, and its size has an end."""

import os
import random
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest
from predictions import HOUR, ids, make_record
from prefect_dvc import locks
from prefect_dvc.core.errors import ConfigError

from gazette.serving.journal import compact, layout, prune, read, write
from gazette.serving.journal.params import Params

NEXT_DAY = datetime(2026, 11, 29, 1, tzinfo=UTC)
PARAMS = Params()


def names(folder: Path) -> list[str]:
    return [segment.path.name for segment in layout.list_segments(folder)]


def test_days_past_become_a_file_each_and_today_stays(tmp_path: Path) -> None:
    hours = ["2026-11-27T23", HOUR, "2026-11-28T15", "2026-11-29T00"]
    write.append(tmp_path, [make_record(number, hour) for number, hour in enumerate(hours)])
    before = read.scan(tmp_path).collect()
    assert len(prune.tidy(tmp_path, PARAMS, NEXT_DAY).compacted) == 2
    assert read.scan(tmp_path).collect().equals(before)
    compact.remove_replaced(tmp_path, 0)
    assert read.scan(tmp_path).collect().equals(before)
    assert [name[:10] + name[-8:] for name in names(tmp_path)] == [
        "2026-11-27.parquet",
        "2026-11-28.parquet",
        "2026-11-290.jsonl"[:10] + "00.jsonl"[-8:],
    ]
    assert prune.tidy(tmp_path, PARAMS, NEXT_DAY).compacted == []


def test_records_that_come_late_find_their_hour(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0), make_record(2, "2026-11-28T15")])
    prune.tidy(tmp_path, PARAMS, NEXT_DAY)
    write.append(tmp_path, [make_record(1)])
    assert ids(tmp_path) == ["request#0", "request#1", "request#2"]
    prune.tidy(tmp_path, PARAMS, NEXT_DAY)
    compact.remove_replaced(tmp_path, 0)
    assert ids(tmp_path) == ["request#0", "request#1", "request#2"] and len(names(tmp_path)) == 1


def test_a_compaction_that_is_killed_before_it_removes_counts_nothing_twice(tmp_path: Path) -> None:
    for number in range(3):
        write.append(tmp_path, [make_record(number)])
        compact.compact(tmp_path, NEXT_DAY)
    assert len(names(tmp_path)) == 6 and ids(tmp_path) == ["request#0", "request#1", "request#2"]
    (tmp_path / layout.RECORDS / names(tmp_path)[2]).unlink()
    assert len(ids(tmp_path)) == 3


def test_a_file_that_is_opened_while_its_day_is_compacted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write.append(tmp_path, [make_record(0)])
    real = layout.close

    def close(path: Path) -> Path | None:
        to = real(path)
        write.append(tmp_path, [make_record(1)])
        return to

    monkeypatch.setattr(layout, "close", close)
    compact.compact(tmp_path, NEXT_DAY)
    write.append(tmp_path, [make_record(2)])
    assert ids(tmp_path) == ["request#0", "request#1", "request#2"]


def test_who_reads_is_not_disturbed_by_a_compaction(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    layout.close(layout.open_path(tmp_path, HOUR))
    rows = read.scan(tmp_path)
    prune.tidy(tmp_path, PARAMS, NEXT_DAY)
    prune.tidy(tmp_path, PARAMS, NEXT_DAY)
    assert rows.collect().height == 1


def test_age_bounds_records_and_texts_apart(tmp_path: Path) -> None:
    hours = ["2026-11-01T00", "2026-11-20T00", "2026-11-27T00"]
    write.append(tmp_path, [make_record(number, hour) for number, hour in enumerate(hours)])
    for hour in hours:
        line = b'{"id":"a","hour":"%s","text":"b"}\n' % hour.encode()
        write.append_lines(tmp_path / layout.TEXTS / f"{hour[:10]}.jsonl", line)
    prune.tidy(tmp_path, replace_params(journal_days=10, text_days=2), NEXT_DAY)
    assert ids(tmp_path) == ["request#1", "request#2"]
    assert read.texts(tmp_path)["hour"].to_list() == [datetime(2026, 11, 27, tzinfo=UTC)]


def replace_params(**values: float) -> Params:
    return PARAMS.model_copy(update=values)


def test_without_a_sample_no_text_stays(tmp_path: Path) -> None:
    write.append_lines(tmp_path / layout.TEXTS / "2026-11-28.jsonl", b'{"id":"a","hour":"2026-11-28T01","text":"b"}\n')
    prune.tidy(tmp_path, replace_params(sample=0), NEXT_DAY)
    assert read.texts(tmp_path).is_empty()


def test_size_is_bounded_and_the_newest_stay(tmp_path: Path) -> None:
    record = replace(make_record(0), id="x" * 1000)
    for day in range(1, 29):
        for hour in range(3):
            write.append(tmp_path, [replace(record, hour=f"2026-11-{day:02}T{hour:02}")] * 400)
    tidied = prune.tidy(tmp_path, replace_params(journal_megabytes=1), datetime(2026, 11, 1, tzinfo=UTC))
    assert tidied.bytes == prune.size(tmp_path) <= 1_000_000 and len(tidied.removed) > 50
    assert read.scan(tmp_path).collect()["hour"].min() == datetime(2026, 11, 28, 1, tzinfo=UTC)


def test_two_do_not_tidy_at_once(tmp_path: Path) -> None:
    write.append(tmp_path, [make_record(0)])
    with locks.file_lock(tmp_path / layout.LOCK, "busy"), pytest.raises(ConfigError, match="another process tidies it"):
        prune.tidy(tmp_path, PARAMS, NEXT_DAY)
    assert prune.tidy(tmp_path / "none", PARAMS, NEXT_DAY).bytes == 0


def append_until_killed(folder: Path, name: int, acknowledged: int) -> NoReturn:
    parent = os.getppid()
    for number in count():
        if os.getppid() != parent:
            os._exit(1)
        time.sleep(0.001)
        hour = f"2026-11-28T{number % 3:02}"
        records = [replace(make_record(0, hour), id=f"{name}/{number}/{part}") for part in range(1 + number % 40)]
        write.append(folder, records)
        os.write(acknowledged, "".join(f"{record.id}\n" for record in records).encode())
    raise AssertionError


def fork_writer(folder: Path, name: int, acknowledged: int) -> int:
    child = os.fork()
    if not child:
        append_until_killed(folder, name, acknowledged)
    return child


def kill(writer: int) -> None:
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)


@pytest.mark.slow
def test_writers_that_are_killed_lose_nothing_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three at a time are killed at random, 100 in all, while the files that they write are closed and compacted."""
    monkeypatch.setattr(write, "MAX_BYTES", 200_000)
    journal, log, rng = tmp_path / "journal", tmp_path / "acknowledged", random.Random(7)
    acknowledged = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    writers = [fork_writer(journal, name, acknowledged) for name in range(3)]
    try:
        for name in range(3, 103):
            time.sleep(rng.uniform(0, 0.02))
            kill(writers.pop(rng.randrange(3)))
            writers.append(fork_writer(journal, name, acknowledged))
            if name % 10 == 0:
                prune.tidy(journal, replace_params(journal_megabytes=10_000), NEXT_DAY)
                compact.remove_replaced(journal, 0)
    finally:
        for writer in writers:
            kill(writer)
    wanted = log.read_text().splitlines()
    read_back = ids(journal)
    assert len(wanted) > 1000 and set(wanted) <= set(read_back)
    assert len(read_back) == len(set(read_back))
    assert ids(journal, since=NEXT_DAY - timedelta(days=2)) == read_back
    prune.tidy(journal, PARAMS, NEXT_DAY)
    assert sorted(ids(journal)) == sorted(read_back)
