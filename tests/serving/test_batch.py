"""Scoring of files of new articles, in parts."""

import json
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from bundles import make_bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.cli.score_view import summarize_manifest
from gazette.core import files
from gazette.core.bundle import Bundle
from gazette.pipeline import ownership
from gazette.registry import versions
from gazette.serving.batch import parts, pools, staging
from gazette.serving.batch import run as running
from gazette.serving.batch.staging import Options

Score = Callable[..., Path]


@pytest.fixture
def score(bundle: Path, tmp_path: Path) -> Score:
    """Return a function that scores a path into a folder, and returns the folder."""

    def run(path: Path, to: str = "scored", force: bool = False, pool: Executor | None = None, **options: Any) -> Path:
        with ThreadPoolExecutor(1) as own:
            model = versions.find_model(str(bundle))
            running.score_files(path, tmp_path / to, model, Options(**options), pool or own, lambda *_: None, force)
        return tmp_path / to

    return run


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Three blocks of articles and some more, of very different lengths."""
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(["goal", "bank", "said"], rng.integers(1, 60))) for _ in range(3 * parts.BLOCK + 100)]
    (tmp_path / "many.txt").write_text("\n".join(texts), encoding="utf-8")
    return tmp_path / "many.txt"


def results(folder: Path) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path, glob=False) for path in sorted(folder.glob("part-*.parquet"))])


def quarantine(folder: Path) -> list[tuple[str, int, str]]:
    table = pl.read_parquet(folder / "quarantine.parquet")
    return [(file, line, reason.split(":")[0]) for file, line, reason, _ in table.iter_rows()]


def manifest(folder: Path) -> dict[str, Any]:
    return files.read_json(folder / "manifest.json")


def lines(tmp_path: Path, *texts: str) -> Path:
    (tmp_path / "new.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return tmp_path / "new.txt"


def test_every_article_has_a_label_its_probability_and_its_place(score: Score, tmp_path: Path) -> None:
    result = results(score(lines(tmp_path, "goal goal", "bank")))
    assert result.select("file", "line", "label").rows() == [("new.txt", 1, "sport"), ("new.txt", 2, "trade")]
    assert result["probability"].to_list() == pytest.approx([0.98201, 0.88080], abs=1e-5)


def test_a_folder_may_have_any_name_beside_any_other(score: Score, tmp_path: Path) -> None:
    score(lines(tmp_path, "bank"), to="scored_1")
    for to in ("scored[_]1", "scored*", "scored?1"):
        assert results(score(lines(tmp_path, "goal goal"), to=to))["label"].to_list() == ["sport"]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.txt", "a goal\nthe bank\n", {}),
        ("a", "a goal\r\nthe bank", {}),
        ("a.csv", "id,text\n7,a goal\n8,the bank\n", {"id": "id"}),
        ("a.csv", "text\na goal\nthe bank\n", {}),
        ("a.csv", "7,a goal\n8,the bank\n", {"text": ("2",), "id": "1"}),
        ("a.csv", '"a goal, again",7\n"the bank, again",8\n"a, b, c",9\n', {"text": ("1",)}),
        ("a.tsv", "id\tbody\tage\n7\ta goal\t1\n8\tthe bank\t2\n", {"text": ("body",), "id": "id"}),
        ("a.txt", "a goal\t7\nthe bank\t8\n", {"text": ("1",), "id": "2"}),
        ("a.jsonl", '{"text": "a goal", "id": 7}\n\n{"id": 8, "text": "the bank"}\n', {"id": "id"}),
        ("a.log", '{"text": "a goal", "id": 7}\n{"id": 8, "text": "the bank"}\n', {}),
    ],
)
def test_files_of_every_format_are_read(
    score: Score, tmp_path: Path, name: str, content: str, options: dict[str, Any]
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    result = results(score(tmp_path / name, **options))
    assert result["label"].to_list()[:2] == ["sport", "trade"]
    assert ("id" in result.columns) == ("id" in options)
    if "id" in options:
        assert result["id"].to_list() == ["7", "8"]


def test_articles_that_are_read_in_parts_are_scored_the_same(
    score: Score, tmp_path: Path, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many.write_text(f"goal\n?\n{many.read_text(encoding='utf-8')}\n!\n", encoding="utf-8")
    whole = score(many, "whole", part_rows=2048)
    monkeypatch.setattr("gazette.data.readers.rows.BATCH_ROWS", 700)
    heights: list[int] = []
    add = staging.Stager.add
    monkeypatch.setattr(staging.Stager, "add", lambda self, table: (heights.append(table.height), add(self, table)))
    parted = score(many, "parted", part_rows=2048)
    assert max(heights) <= 700 < sum(heights) == manifest(parted)["rows"]["scored"]
    for path in [*whole.glob("part-*"), whole / "quarantine.parquet", whole / "manifest.json"]:
        assert (parted / path.name).read_bytes() == path.read_bytes()


def test_parquet_is_read(score: Score, tmp_path: Path) -> None:
    pl.DataFrame({"key": [7, 8], "text": ["a goal", "the bank"]}).write_parquet(tmp_path / "a.parquet")
    result = results(score(tmp_path / "a.parquet", id="key"))
    assert result.select("line", "id", "label").rows() == [(1, "7", "sport"), (2, "8", "trade")]


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.csv", "id,text\n007,goal\n,goal\n  ,goal\n", 3),
        ("a.jsonl", '{"id": "007", "text": "goal"}\n{"id": null, "text": "goal"}\n{"id": "", "text": "goal"}\n', 2),
    ],
)
def test_a_row_without_an_identifier_is_rejected(
    score: Score, tmp_path: Path, name: str, content: str, line: int
) -> None:
    (tmp_path / name).write_text(content)
    scored = score(tmp_path / name, id="id")
    assert results(scored)["id"].to_list() == ["007"]
    assert quarantine(scored) == [(name, line, "no value"), (name, line + 1, "no value")]
    reasons = pl.read_parquet(scored / "quarantine.parquet")["reason"]
    assert all("'id'" in reason and "label" not in reason for reason in reasons)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"id,text\n7,goal\n,\n,\n"), ("a.jsonl", b'{"id": 7, "text": "goal"}\n{"id": null, "text": ""}\n{}\n')],
)
def test_with_an_identifier_a_row_that_is_empty_all_over_has_its_place_in_quarantine(
    score: Score, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    pl.DataFrame({"id": [7, None, None], "text": ["goal", None, None]}).write_parquet(tmp_path / "a.parquet")
    for number, path in enumerate((tmp_path / name, tmp_path / "a.parquet")):
        scored = score(path, str(number), id="id")
        assert results(scored).height + len(quarantine(scored)) == 3


def test_a_folder_of_tables_is_read_file_by_file(score: Score, tmp_path: Path) -> None:
    folder = tmp_path / "drop" / "monday"
    folder.mkdir(parents=True)
    (folder / "b.jsonl").write_text('{"text": "bank"}\n')
    (folder / "a.csv").write_text("text,x\ngoal,1\n")
    (folder / ".hidden.csv").write_text("nothing")
    result = results(score(tmp_path / "drop"))
    assert result.select("file", "line", "label").rows() == [
        ("monday/a.csv", 2, "sport"),
        ("monday/b.jsonl", 1, "trade"),
    ]
    (folder / "readme.md").write_text("about")
    with pytest.raises(ConfigError, match=r"tables \(a.csv\) and articles \(readme.md\)"):
        score(tmp_path / "drop", "again")


def test_in_another_folder_every_file_is_an_article(score: Score, tmp_path: Path) -> None:
    folder = tmp_path / "drop" / "monday"
    folder.mkdir(parents=True)
    (folder / "1.txt").write_text("Goal!\n\nA goal.")
    (folder / "2.txt").write_bytes(b"caf\xe9")
    scored = score(tmp_path / "drop")
    assert results(scored).select("file", "line", "label").rows() == [("monday/1.txt", 1, "sport")]
    assert quarantine(scored) == [("monday/2.txt", 1, "not UTF-8")]
    with pytest.raises(ConfigError, match="every file is an article"):
        score(tmp_path / "drop", "again", id="id")


def test_rows_that_cannot_be_used_are_in_quarantine_with_their_place(score: Score, tmp_path: Path) -> None:
    content = b"id,text\n1,goal\n2,...\n3,caf\xe9\n4\n5,\x1b[31mbank,more\n6,nul\0\n7,\n8,bank\n"
    (tmp_path / "a.csv").write_bytes(content)
    scored = score(tmp_path / "a.csv", id="id")
    assert results(scored)["id"].to_list() == ["1", "8"]
    assert [line for _, line, _ in quarantine(scored)] == [3, 4, 5, 6, 7, 8]
    assert "\x1b" not in pl.read_parquet(scored / "quarantine.parquet")["seen"].str.join().item()
    assert manifest(scored)["rows"] == {"read": 8, "scored": 2, "quarantined": 6}
    assert {"reason": "no word", "rows": 2} in manifest(scored)["quarantined"]["reasons"]


@settings(max_examples=15)
@given(st.lists(st.binary(max_size=12).filter(lambda line: b"\n" not in line), min_size=1, max_size=20))
def test_no_row_is_lost_whatever_a_file_contains(raw: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as box, ThreadPoolExecutor(1) as pool:
        path, to = Path(box) / "a.txt", Path(box) / "to"
        path.write_bytes(b"\n".join([b"a goal", *raw, b"the end"]))
        model = versions.find_model(str(make_bundle(Path(box))))
        record = running.score_files(path, to, model, Options(), pool, lambda *_: None)
        places = [*results(to)["line"], *(line for _, line, _ in quarantine(to))]
    assert sorted(places) == list(range(1, len(raw) + 3))
    assert record["rows"]["read"] == len(raw) + 2


def test_tolerated_oddities_are_counted(score: Score, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,id\n\ngoal,1\n\n")
    assert manifest(score(tmp_path / "a.csv"))["notes"] == {"blank lines, skipped": 2}


def test_an_unreadable_file_ends_the_scoring(score: Score, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(DataContractError, match="not Parquet, or was truncated"):
        score(tmp_path / "a.parquet")


def test_if_no_row_is_usable_the_quarantine_says_why(score: Score, tmp_path: Path) -> None:
    with pytest.raises(
        DataContractError, match=r"none of 2 rows can be scored. The first:\n  new.txt, line 1: no word"
    ):
        score(lines(tmp_path, "...", "--"))
    assert len(quarantine(tmp_path / "scored")) == 2
    assert len(results(score(lines(tmp_path, "...", "goal")))) == 1


def test_the_text_is_in_the_results_on_request(score: Score, tmp_path: Path) -> None:
    path = lines(tmp_path, "goal")
    assert "text" not in results(score(path))
    assert results(score(path, "with", with_text=True))["text"].to_list() == ["goal"]


def test_results_do_not_depend_on_the_size_of_parts(score: Score, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches are the same, since the last bits of a probability depend on its batch."""
    together: list[list[str]] = []
    encode = Bundle.encode

    def spied(bundle: Bundle, texts: list[str]) -> Any:
        together.append(list(texts))
        return encode(bundle, texts)

    monkeypatch.setattr(Bundle, "encode", spied)
    result, blocks = [], []
    for number, rows in enumerate([1, parts.BLOCK + 1, 10 * parts.BLOCK]):
        together.clear()
        result.append(score(many, f"scored{number}", part_rows=rows))
        blocks.append(list(together))
    assert [len(list(folder.glob("part-*"))) for folder in result] == [4, 2, 1]
    assert blocks[0] == blocks[1] == blocks[2]
    assert results(result[0]).equals(results(result[1])) and results(result[0]).equals(results(result[2]))
    assert results(result[0])["line"].to_list() == list(range(1, 3 * parts.BLOCK + 101))


def test_results_do_not_depend_on_who_scores(score: Score, many: Path, bundle: Path) -> None:
    with pools.worker_pool("processes", 2) as pool:
        parallel = score(many, "two", pool=pool, part_rows=parts.BLOCK)
    alone = score(many, "one", part_rows=parts.BLOCK)
    for path in sorted(alone.glob("*.*")):
        assert path.read_bytes() == (parallel / path.name).read_bytes(), path.name


def test_what_is_missing_is_scored_and_nothing_else(score: Score, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = score(many, part_rows=parts.BLOCK)
    whole = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    shutil.rmtree(folder)

    def ends(folder: str, number: int) -> int:
        if number >= 2:
            raise KeyboardInterrupt
        return done(folder, number)

    done, again = parts.score_part, []
    monkeypatch.setattr(parts, "score_part", ends)
    with pytest.raises(KeyboardInterrupt):
        score(many, part_rows=parts.BLOCK)
    atomic.temporary_path(folder / "part-00002.parquet").write_bytes(b"half")
    monkeypatch.setattr(parts, "score_part", lambda to, number: again.append(number) or done(to, number))
    score(many, part_rows=parts.BLOCK)
    assert again == [2, 3]
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == whole


def test_a_killed_start_is_repeated(score: Score, many: Path) -> None:
    folder = score(many)
    for name in ("plan.json", "manifest.json", "part-00000.parquet"):
        (folder / name).unlink()
    (folder / "staged").mkdir()
    (folder / "staged" / "00007.parquet").write_bytes(b"half")
    assert results(score(many)).height == 3 * parts.BLOCK + 100
    assert not (folder / "staged").exists()


def test_finished_parts_are_not_scored_again(score: Score, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = manifest(score(many))
    monkeypatch.setattr(parts, "score_part", lambda *_: pytest.fail("scored again"))
    assert manifest(score(many)) == before


@pytest.mark.parametrize("lost", ["part-00000.parquet", "manifest.json", "quarantine.parquet"])
def test_what_was_removed_by_hand_is_made_again(score: Score, many: Path, lost: str) -> None:
    folder = score(many)
    whole = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    (folder / lost).unlink()
    score(many)
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == whole


@pytest.mark.parametrize("name", ["plan.json", "manifest.json"])
@pytest.mark.parametrize("content", [b"", b'{"input": [', b"[]"])
def test_a_damaged_record_is_named_and_forced_away(score: Score, many: Path, name: str, content: bytes) -> None:
    folder = score(many)
    whole = {path.name: path.read_bytes() for path in folder.glob("*.*")}
    (folder / name).write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{name} is no JSON as a scoring writes it; `gazette score --force`"):
        score(many)
    score(many, force=True)
    assert {path.name: path.read_bytes() for path in folder.glob("*.*")} == whole


def test_a_folder_of_other_results_is_refused_unless_forced(score: Score, many: Path, bundle: Path) -> None:
    score(many)
    with pytest.raises(ConfigError, match="results for other options; choose another folder, or --force"):
        score(many, uncertain=0.6)
    many.write_text(many.read_text() + "\ngoal")
    with pytest.raises(ConfigError, match="results for other articles"):
        score(many)
    about = json.loads((bundle / "bundle.json").read_text()) | {"labels": ["Sport", "Trade"]}
    (bundle / "bundle.json").write_text(json.dumps(about))
    with pytest.raises(ConfigError, match="results for other articles, another model"):
        score(many)
    assert set(results(score(many, force=True))["label"]) == {"Sport", "Trade"}


def test_a_folder_with_other_files_is_refused(score: Score, many: Path, tmp_path: Path) -> None:
    (tmp_path / "scored").mkdir()
    (tmp_path / "scored" / "diary.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"has diary\.txt, which is not a result"):
        score(many, force=True)
    assert (tmp_path / "scored" / "diary.txt").read_text() == "mine"


STRANGERS = [
    *["part-0.parquet", "part-00000.parquet", "run.json", "manifest.json", "plan.json", "quarantine.parquet", ".lock"],
    *["staged/a", "x.partial", "part-00000.parquet.partial", ".part-00000.parquet.abc.partial", "_gazette"],
]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_of_somebody_elses_with_the_name_of_a_result_stays(
    score: Score, many: Path, tmp_path: Path, name: str, force: bool
) -> None:
    path = tmp_path / "scored" / name
    path.parent.mkdir(parents=True)
    path.write_text('{"owner": "another team"}')
    before = contents(tmp_path / "scored")
    with pytest.raises(ConfigError, match=f"has {name.split('/')[0]}, which is not a result of scoring"):
        score(many, force=force)
    assert contents(tmp_path / "scored") == before


@pytest.mark.parametrize("name", ["part-00007.parquet", "part-0.parquet", "notes.txt", "sub/notes.txt"])
def test_an_extra_file_among_results_stays_and_so_do_they(score: Score, many: Path, name: str) -> None:
    folder = score(many)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    before = contents(folder)
    with pytest.raises(ConfigError, match=f"has {name.split('/')[0]}, which is not a result"):
        score(many, force=True, uncertain=0.6)
    assert contents(folder) == before


def test_an_extra_file_among_staged_articles_stays(score: Score, many: Path) -> None:
    folder = score(many)
    (folder / "staged").mkdir()
    (folder / "staged" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"has staged/notes\.txt, which is not"):
        score(many, force=True)
    assert (folder / "staged" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["run.json", ".lock", "plan.json", "part-00000.parquet", "staged"])
def test_nothing_is_written_or_removed_through_a_symlink(score: Score, many: Path, tmp_path: Path, name: str) -> None:
    folder = score(many)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("mine")
    target = tmp_path / "elsewhere" if name == "staged" else tmp_path / "elsewhere" / "precious"
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(target)
    with pytest.raises(ConfigError, match=f"has {name}, which is not a result"):
        score(many, force=True)
    assert (folder / name).is_symlink() and (tmp_path / "elsewhere" / "precious").read_text() == "mine"


@pytest.mark.parametrize("name", ["run.json", "part-00000.parquet", "manifest.json"])
def test_a_folder_in_the_place_of_a_result_stays(score: Score, many: Path, name: str) -> None:
    folder = score(many)
    (folder / name).unlink(missing_ok=True)
    (folder / name).mkdir()
    (folder / name / "mine").touch()
    with pytest.raises(ConfigError, match=f"has {name}, which is not a result"):
        score(many, force=True)
    assert (folder / name / "mine").exists()


@pytest.mark.parametrize("name", ["scored", "scored/today"])
def test_a_file_in_the_place_of_the_folder_stays(score: Score, many: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "scored").write_text("mine")
    with pytest.raises(ConfigError, match="scored is not a folder"):
        score(many, name)
    assert (tmp_path / "scored").read_text() == "mine"


def test_identifiers_that_repeat_are_counted(score: Score, tmp_path: Path) -> None:
    rows = "".join(f"{number // 2},bank\n" for number in range(7))
    (tmp_path / "new.csv").write_text(f"url,text\n{rows}")
    folder = score(tmp_path / "new.csv", id="url", part_rows=parts.BLOCK)
    assert manifest(folder)["notes"] == {"rows whose identifier an earlier row has": 3}
    assert "\nrows whose identifier an earlier row has: 3\n" in summarize_manifest(manifest(folder), folder)


@pytest.mark.parametrize("force", [True, False])
def test_a_part_that_was_changed_by_hand_is_not_replaced(score: Score, many: Path, force: bool) -> None:
    folder = score(many)
    (folder / "part-00000.parquet").write_text("labels corrected by hand")
    before = contents(folder)
    with pytest.raises(ConfigError, match=r"part-00000\.parquet was changed after it was scored"):
        score(many, force=force)
    assert contents(folder) | {".lock": b""} == before


def test_the_marker_names_the_run_and_lists_its_files(score: Score, many: Path) -> None:
    folder = score(many, part_rows=parts.BLOCK)
    first = ownership.read_marker(folder)
    assert first and first.gazette == "score"
    assert {path.name for path in folder.iterdir()} - {ownership.MARKER} <= set(first.files)
    score(many, part_rows=parts.BLOCK)
    assert ownership.read_marker(folder) == first
    score(many, force=True)
    second = ownership.read_marker(folder)
    assert second and second.run != first.run and "part-00003.parquet" not in second.files


def test_results_of_an_earlier_gazette_are_known_by_their_hashes(score: Score, many: Path) -> None:
    folder = score(many)
    (folder / ownership.MARKER).unlink()
    whole = contents(folder)
    score(many)
    assert contents(folder).items() >= whole.items()
    (folder / ownership.MARKER).unlink()
    (folder / "part-00000.parquet").write_text("other")
    with pytest.raises(ConfigError, match=r"has part-00000\.parquet, which is not a result"):
        score(many, force=True)


def test_articles_and_model_do_not_lie_among_the_results(score: Score, many: Path, tmp_path: Path) -> None:
    folder = score(many)
    before = contents(folder)
    with pytest.raises(ConfigError, match=r"part-00000\.parquet is inside .*, where results are replaced"):
        score(folder / "part-00000.parquet", text=("label",), force=True)
    assert contents(folder) == before


def test_results_do_not_lie_among_the_articles(score: Score, tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "drop" / "a.csv").write_text("text\ngoal\n")
    with pytest.raises(ConfigError, match="results would be read as articles"):
        score(tmp_path / "drop", "drop/scored")
    assert [path.name for path in (tmp_path / "drop").iterdir()] == ["a.csv"]


def test_a_second_run_is_kept_out(score: Score, many: Path, tmp_path: Path) -> None:
    with running.folder_lock(tmp_path / "scored"), pytest.raises(ConfigError, match="another run writes"):
        score(many)


def test_the_manifest_compares_the_labels_with_those_of_training(bundle: Path, tmp_path: Path) -> None:
    path = lines(tmp_path, "goal", "goal", "goal", "bank", "goal bank", "...")
    known = versions.find_model(str(bundle))
    model = versions.ResolvedModel("t@x", bundle, known.digest, "tiny", "3", {"sport": 100, "trade": 300})
    with ThreadPoolExecutor(1) as pool:
        record = running.score_files(path, tmp_path / "to", model, Options(uncertain=0.6), pool, lambda *_: None)
    assert record["model"] == {"name": "tiny", "version": "3", "digest": known.digest}
    assert record["rows"] == {"read": 6, "scored": 5, "quarantined": 1}
    assert record["quarantined"] == {"share": 0.166667, "reasons": [{"reason": "no word", "rows": 1}]}
    assert record["uncertain"] == {"below": 0.6, "rows": 1, "share": 0.2}
    assert record["labels"] == [
        {"label": "sport", "rows": 4, "share": 0.8, "training_share": 0.25},
        {"label": "trade", "rows": 1, "share": 0.2, "training_share": 0.75},
    ]
    assert record["distance_to_training"] == {
        "measure": "Jensen-Shannon, base 2",
        "value": pytest.approx(0.4812, abs=1e-4),
    }
    assert record["parts"][0]["rows"] == 5


def test_a_bundle_without_a_version_has_no_training_shares(score: Score, tmp_path: Path) -> None:
    record = manifest(score(lines(tmp_path, "goal")))
    assert record["distance_to_training"]["value"] is None
    assert record["labels"][0]["training_share"] is None


def test_a_probability_that_is_nan_is_uncertain(score: Score, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bundle, "run", lambda self, encoded: np.full((1, 2), np.nan, np.float32))
    assert manifest(score(lines(tmp_path, "goal")))["uncertain"]["rows"] == 1


@pytest.mark.parametrize("sizes", [[0], [5], [3, 4, 1], [10], [2, 0, 8], [1] * 11])
def test_parts_are_of_equal_size_whatever_files_they_come_from(
    sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "BLOCK", 5)
    stager, ends = staging.Stager(tmp_path, 5), np.cumsum(sizes).tolist()
    for size, end in zip(sizes, ends, strict=True):
        stager.add(pl.DataFrame({"n": range(end - size, end)}, schema={"n": pl.Int64}))
    stager.end()
    result = [pl.read_parquet(tmp_path / f"{number:05}.parquet") for number in range(stager.parts)]
    assert stager.rows == sum(sizes)
    assert [part.height for part in result[:-1]] == [5] * (len(result) - 1)
    assert [n for part in result for n in part["n"]] == list(range(sum(sizes)))
    assert all(part.height for part in result)
