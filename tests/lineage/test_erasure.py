"""An article that is erased is in no byte of a project, its cache, its remotes and its records, but for its hash."""

import bz2
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from lineages import Run, begin, commit, git, push
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.cli.app import gazette
from gazette.core.normalization import normalize
from gazette.data import erased, feedback
from gazette.data.readers import cut
from gazette.lineage.erasure import erase as erasure
from gazette.lineage.erasure.article import Article
from gazette.monitoring import answers, observe
from gazette.pipeline import dvclock, ownership
from gazette.serving.journal import layout, write

MARK = "zephyrine"  # a word of the article and of nothing else
TEXT = (
    f'The {MARK} "heron", a bird of the upper marsh, was counted again on Tuesday;\n'
    "nobody had heard its call since the flood, write to ada.marsh@example.org & ask."
)
OTHERS = [(f"a match of number {number}, with a goal", "sport", split) for number, split in
          enumerate(["train"] * 6 + ["valid"] * 3 + ["test"] * 3)]  # fmt: skip
FIRST = Run([*OTHERS[:3], (TEXT, "sport", "train"), *OTHERS[3:]])
TODAY = f"{datetime.now(UTC):%Y-%m-%d}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two models, a remote, and the article in every place that Gazette writes to."""
    (folder := tmp_path / "project").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    begin()
    with Path(".gitignore").open("a") as file:
        file.write("/feedback\n/results\n/data/audit\n/reports/report.html\n*.gz\n*.zip\n")
    commit(Run(OTHERS, seed=1))
    commit(FIRST)
    commit(Run(FIRST.articles, seed=8))
    push(tmp_path / "remote")
    write_records(folder)
    return folder


def write_records(folder: Path) -> None:
    overlay = {"text": TEXT.upper(), "label": "trade", "source": "volunteered", "kind": "label", "when": "", "who": ""}
    lines = [overlay, overlay | {"text": OTHERS[0][0]}]
    (folder / "data/raw/tiny/corrections.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    record()
    for text in (TEXT, OTHERS[1][0]):
        for when in ("2026-01-01", TODAY):
            answer = feedback.Feedback(text, "trade", "sport", "d", f"{when}T10:00:00+00:00", "x", "asked")
            feedback.append(folder / "feedback", answer)
    masked = TEXT.replace("ada.marsh@example.org", "<email>")
    sampled = [{"id": f"r{n}", "hour": "2026-01-01T10", "text": text} for n, text in enumerate([masked, OTHERS[2][0]])]
    content = "".join(json.dumps(line) + "\n" for line in sampled).encode()
    for day in ("2026-01-01.1", TODAY):
        write.append_lines(folder / observe.JOURNAL / layout.TEXTS / f"{day}.jsonl", content)
    question = dict.fromkeys(answers.QUESTION, "x") | {"id": "r0", "text": masked}
    questions = folder / observe.FOLDER / answers.ASKED
    questions.mkdir(parents=True)
    (questions / "2026.jsonl").write_text(
        "".join(answers._line(row) for row in (question, question | {"text": "another"}))
    )
    pl.DataFrame({"id": ["r0", "r1"], "text": [masked, "another"], "label": ["", ""]}).write_csv(questions / "2026.csv")
    seen = pl.DataFrame({"split": ["train"], "file": ["all.csv"], "line": [5], "reason": ["?"], "seen": [TEXT[:60]]})
    for name in (".gazette/data_docs/page.html", "reports/report.html", ".dvc/tmp/exps/tmp1/page.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"<html><p>sport: The {MARK} &quot;heron&quot;, a bird of the upper …</p></html>")
    (folder / "data/validated/.articles.parquet.parts").mkdir()
    seen.write_parquet(folder / "data/validated/.articles.parquet.parts/000000.parquet")
    (folder / "data/audit").mkdir()
    listed = pl.DataFrame({"text": [TEXT[:60], "another text"], "correct_label": ["", "trade"]})
    listed.write_csv(folder / "data/audit/tiny.csv")
    for name, files in (("begun", ["staged", "plan.json"]), ("done", ["part-00000.parquet"])):
        (folder / "results" / name).mkdir(parents=True)
        ownership.write_marker(folder / "results" / name, "score", files)
    (folder / "results/begun/staged").mkdir()
    pl.DataFrame({"text": [TEXT]}).write_parquet(folder / "results/begun/staged/00000.parquet")
    (folder / "results/begun/plan.json").write_text("{}")
    rows = pl.DataFrame({"text": [TEXT, "another text"], "label": ["sport", "trade"]})
    rows.write_parquet(folder / "results/done/part-00000.parquet")
    (folder / "only.txt").write_text(TEXT)
    for name, open_packed in (("a.gz", gzip.open), ("b.bz2", bz2.open)):
        with open_packed(folder / ".gazette" / name, "wt") as file:
            file.write(TEXT)
    with zipfile.ZipFile(folder / ".gazette/c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("page.txt", TEXT)


def record() -> None:
    """Record the raw files in DVC's cache and remote, as `dvc add` and `dvc push` do."""
    from lineages import cache

    raw = {"md5": cache("data/raw/tiny"), "hash": "md5", "path": "tiny"}
    Path("data/raw/tiny.dvc").write_text(json.dumps({"outs": [raw]}))
    shutil.copytree(".dvc/cache", "../remote", dirs_exist_ok=True)


def find_mark(top: Path) -> set[str]:
    """The files that have the word in any way: in bytes, in tables, in archives, in git."""
    names = {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file() and has_mark(path.read_bytes())}
    with_it = subprocess.run(
        "git grep -il zephyrine $(git rev-list --all)", shell=True, capture_output=True, text=True, check=False
    )
    return names | set(with_it.stdout.split())


def has_mark(content: bytes) -> bool:
    return any(MARK.encode() in part.lower() or MARK.encode("utf-16-le") in part.lower() for part in unpack(content))


def unpack(content: bytes) -> Iterator[bytes]:
    yield content
    if content[:4] == b"PAR1":
        yield pl.read_parquet(content).write_json().encode()
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:3] == b"BZh":
        yield bz2.decompress(content)
    elif content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield from map(archive.read, archive.namelist())


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(gazette, ["erase", *words])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def places(*words: str, code: int = 0) -> set[tuple[str, str]]:
    """Kind and action of each place."""
    (result,) = json.loads(run(*words, "--json", code=code).stdout)
    return {(place["kind"], place["action"]) for place in result["places"]}


def test_nothing_of_it_is_left_but_the_hash(project: Path) -> None:
    assert len(find_mark(project.parent)) > 25
    listing = run("data/raw/tiny/all.csv:5").output
    assert places("data/raw/tiny/all.csv:5") == {
        ("raw", "cut"), ("overlay", "cut"), ("feedback", "cut"), ("journal", "cut"), ("questions", "cut"),
        ("output", "remove"), ("state", "remove"), ("results", "remove"), ("file", "cut"), ("file", "remove"),
        ("cache", "remove"), ("there", "remove"),
    }  # fmt: skip
    assert "Nothing was changed" in listing and len(find_mark(project.parent)) > 25

    output = run("data/raw/tiny/all.csv:5", "--yes").output
    assert "was erased" in output and find_mark(project.parent) == set()
    (key,) = normalize(pl.Series([TEXT]))
    line = {"sha256": hashlib.sha256(key.encode()).hexdigest()}
    assert Path("data/erased.jsonl").read_text() == json.dumps(line) + "\n"
    assert places(TEXT) == set()


def test_everything_else_stays(project: Path) -> None:
    raw = Path("data/raw/tiny/all.csv").read_text()
    models = Path("models/selected/bundle.json").read_bytes()
    run("data/raw/tiny/all.csv:5", "--yes")
    row = pl.DataFrame({"label": ["sport"], "text": [TEXT]}).write_csv(include_header=False)
    assert Path("data/raw/tiny/all.csv").read_text() == raw.replace(row, "") != raw
    assert Path("models/selected/bundle.json").read_bytes() == models
    assert len(Path("data/raw/tiny/corrections.jsonl").read_text().splitlines()) == 1
    lines = [line for path in Path("feedback").glob("*.jsonl") for line in path.read_text().splitlines()]
    assert [json.loads(line)["text"] for line in lines] == [OTHERS[1][0]] * 2
    sample = list((observe.JOURNAL / layout.TEXTS).glob("*.jsonl"))
    assert [json.loads(line)["id"] for path in sample for line in path.read_text().splitlines()] == ["r1", "r1"]
    assert pl.read_csv(".gazette/monitor/asked/2026.csv")["id"].to_list() == ["r1"]
    assert pl.read_csv("data/audit/tiny.csv")["correct_label"].to_list() == ["trade"]
    assert pl.read_parquet("results/done/part-00000.parquet")["text"].to_list() == ["another text"]
    assert not Path("results/begun/staged").exists() and Path("data/clean/test.parquet").exists()
    subprocess.run("dvc status -q data/raw/tiny.dvc", shell=True, check=True)  # as the pointer says


def test_it_tells_which_models_learned_from_it_and_what_is_unknown(project: Path) -> None:
    (result,) = json.loads(run("data/raw/tiny/all.csv:5", "--json").stdout)
    history = git("log", "--reverse", "--format=%H").split()
    assert [(model["revision"], model["splits"]) for model in result["learners"]] == [
        (history[1], ["train"]), (history[2], ["train"])
    ]  # fmt: skip
    (after,) = json.loads(run("data/raw/tiny/all.csv:5", "--yes", "--json").stdout)
    assert after["learners"] == result["learners"] and after["erased"] and not after["places"]
    (later,) = json.loads(run(TEXT, "--json").stdout)
    assert "DVC's cache lacks its splits" in " ".join(later["unknown"])


def test_a_model_that_is_not_committed_learned_from_it_in_the_working_tree(project: Path) -> None:
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace(dvclock.load(None).bundle or "", f"{7:032}.dir"))
    shown = run(TEXT).output
    assert "  00000000  not registered  the working tree  in train\n" in shown
    assert f"  revision {git('rev-parse', 'HEAD')[:9]}  in train\n" in shown


@pytest.mark.parametrize(
    "word", ["r0", TEXT, "only.txt", "feedback/2026-01-01.jsonl:1", TEXT.lower().replace("\n", " ")]
)
def test_it_is_named_by_an_id_a_text_or_a_file(project: Path, word: str) -> None:
    assert ("feedback", "cut") in places(word)


def test_a_folder_to_search_may_have_any_name_beside_any_other(project: Path) -> None:
    for name, text in (("al[1]", TEXT), ("al1", OTHERS[0][0])):
        (project.parent / name).mkdir()
        pl.DataFrame({"text": [text, "another"]}).write_parquet(project.parent / name / "x.parquet")
    assert "al[1]/x.parquet" in run(TEXT, "--also", "../al[1]").output
    run(TEXT, "--also", "../al[1]", "--yes")
    assert pl.read_parquet(project.parent / "al[1]/x.parquet", glob=False)["text"].to_list() == ["another"]
    assert pl.read_parquet(project.parent / "al1/x.parquet").height == 2


def test_a_table_may_have_a_name_that_is_not_utf_8(project: Path) -> None:
    with Path("caf\udce9.parquet").open("wb") as file:
        pl.DataFrame({"text": [TEXT, "another"]}).write_parquet(file)
    (result,) = json.loads(run(TEXT, "--json").stdout)
    assert "caf\udce9.parquet" in [place["where"] for place in result["places"]]
    run(TEXT, "--yes")
    assert pl.read_parquet(Path("caf\udce9.parquet").read_bytes())["text"].to_list() == ["another"]


def test_what_names_nothing_is_a_usage_error(project: Path) -> None:
    with pytest.raises(ConfigError, match="no file, no line of one, no id"):
        CliRunner().invoke(gazette, ["erase", "r17"], catch_exceptions=False)
    run(code=2)


@pytest.mark.parametrize("text", ["a long story, " * 400, "央行宣布下调存款准备金率" * 8])
def test_a_text_may_be_longer_than_the_name_of_a_file(project: Path, text: str) -> None:
    assert "is in 0 places" in run(text).output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"a": 1}', "x.jsonl, line 2: no key 'text'"),
        (b"nope", "x.jsonl, line 2: not JSON"),
        (b'["a"]', "x.jsonl, line 2: list, expected an object"),
        (b'{"text": "caf\xe9"}', "x.jsonl, line 2: not UTF-8: byte 0xe9"),
        (b'{"text": null}', "x.jsonl:2: no article in this line"),
    ],
)
def test_a_line_without_a_text_is_named_with_what_was_expected(project: Path, line: bytes, message: str) -> None:
    Path("x.jsonl").write_bytes(b'{"text": "a goal"}\n' + line + b"\n")
    with pytest.raises((ConfigError, DataContractError), match=message):
        CliRunner().invoke(gazette, ["erase", "x.jsonl:2"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a goal\nin a café".encode("latin-1"), "x.txt, line 2: not UTF-8: byte 0xe9"),
        ("a goal".encode("utf-16"), "x.txt is encoded in UTF-16"),
    ],
)
def test_a_file_in_another_encoding_is_named(project: Path, content: bytes, message: str) -> None:
    Path("x.txt").write_bytes(content)
    with pytest.raises(DataContractError, match=message):
        CliRunner().invoke(gazette, ["erase", "x.txt"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("a \udce9 goal", r"a \\udce9 goal: no file, and no text in the terminal's encoding"),
        ("only.txt:" + "7" * 5000, "no article in this line"),
        ("data/raw/tiny/all.csv:" + "7" * 5000, "no article in this line"),
        ("feedback/2026-01-01.jsonl:0", "no article in this line"),
    ],
)
def test_a_word_that_names_no_text_is_refused(project: Path, word: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CliRunner().invoke(gazette, ["erase", word], catch_exceptions=False)


def test_a_killed_erasure_continues(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    for module, step in ((cut, "cut_rows"), (erasure.storage, "dvc_add"), (erasure, "_list_raw_objects")):
        with monkeypatch.context() as patch:
            patch.setattr(module, step, kill)
            assert CliRunner().invoke(gazette, ["erase", "data/raw/tiny/all.csv:5", "--yes"]).exit_code != 0
            assert find_mark(project.parent)
    result = run("--yes", "--json")
    assert len(json.loads(result.stdout)[0]["learners"]) == 2
    assert find_mark(project.parent) == set() and not list(erasure.PENDING.iterdir())


def test_history_and_what_is_no_record_are_named_and_stay(project: Path) -> None:
    Path("notes.txt").write_text(f"Remember:\n{TEXT}\nand more")
    git("add", "notes.txt")
    git("commit", "-qm", "notes")
    output = run("data/raw/tiny/all.csv:5", "--yes", code=1).output
    assert "it is still in 2 places" in output and "git filter-repo" in output
    assert "notes.txt  stays  (among other things: edit the file, or remove it)" in output
    assert len(find_mark(project.parent)) == 2


def test_a_clone_without_data_is_searched_and_a_cache_that_is_not_mounted_is_refused(project: Path) -> None:
    shutil.rmtree(".dvc/cache")
    assert "raw" in {kind for kind, _ in places(TEXT)}
    with Path(".dvc/config").open("a") as file:
        file.write("[cache]\n    dir = /no/such/mount/cache\n")
    assert "there is no folder /no/such/mount" in str(CliRunner().invoke(gazette, ["erase", TEXT]).exception)


def test_what_only_a_merge_brought_is_named(project: Path) -> None:
    text = "A letter to the editor that nobody had committed before"
    git("checkout", "-qb", "side", "HEAD~1")
    git("merge", "-q", "--no-commit", "--no-ff", "-s", "ours", "-")
    Path("letter.txt").write_text(text)
    git("add", "letter.txt")
    git("commit", "-qm", "merge")
    output = run(text).output
    assert f"{git('rev-parse', '--short', 'HEAD')}:letter.txt" in output


def test_an_edit_of_raw_files_that_is_not_recorded_stops_it(project: Path) -> None:
    with Path("data/raw/tiny/all.csv").open("a") as file:
        file.write("sport,a new row of somebody\n")
    before = find_mark(project.parent)
    assert run("data/raw/tiny/all.csv:5", "--yes", code=1).exception
    assert find_mark(project.parent) == before and not Path("data/erased.jsonl").exists()


@pytest.mark.parametrize("where", ["/no/such/disk", "ssh://nobody@127.0.0.1:1/store"])
def test_a_remote_that_does_not_answer_stops_it_before_anything_is_removed(project: Path, where: str) -> None:
    add_remote(where)
    before = find_mark(project.parent)
    assert isinstance(CliRunner().invoke(gazette, ["erase", TEXT, "--yes"]).exception, ConfigError)
    assert find_mark(project.parent) == before and not Path("data/erased.jsonl").exists()


def test_a_remote_that_cannot_be_listed_is_named(project: Path) -> None:
    add_remote("http://127.0.0.1:1/store")
    output = run(TEXT, "--yes", code=1).output
    assert "more       http://127.0.0.1:1/store  stays  (a remote by HTTP cannot be listed" in output
    assert find_mark(project.parent) == set()


def test_raw_files_that_are_not_in_the_tree_are_not_lost(project: Path) -> None:
    shutil.rmtree("data/raw/tiny")
    output = run(TEXT, "--yes", code=1).output
    assert output.count("`dvc checkout` them, then erase again") == 4  # file and overlay, in cache and remote
    subprocess.run("dvc checkout -q data/raw/tiny.dvc", shell=True, check=True)
    run(TEXT, "--yes")
    assert find_mark(project.parent) == set()


def add_remote(url: str) -> None:
    with Path(".dvc/config.local").open("a") as file:
        file.write(f"['remote \"more\"']\n    url = {url}\n")


def test_raw_data_that_bring_it_back_lose_it_with_a_reason() -> None:
    table = pl.DataFrame({"text": ["another", f"  {TEXT.upper()}"], "label": ["sport"] * 2, "split": ["train"] * 2,
                          "file": ["all.csv"] * 2, "line": [2, 3]})  # fmt: skip
    left, rejects = erased.split_erased(table, frozenset({Article(TEXT).digest}))
    assert left["text"].to_list() == ["another"]
    assert rejects.rows() == [("train", "all.csv", 3, erased.REASON, "sport: …")]


@pytest.mark.parametrize("short", ["Rain", "雨"])
def test_a_short_text_is_no_part_of_others(short: str) -> None:
    article = Article(short, ("en",))
    cells = pl.Series(["rain", "Rain fell", "雨", "大雨"])
    assert article.is_text(cells).sum() == 1 and article.is_excerpt(cells).sum() == 1
    assert article.is_within(f'{{"text": "{short}"}}') and article.is_within(f"<p>{short}</p>")
    assert not article.is_within(f"the train, and a {short}bow in it")
