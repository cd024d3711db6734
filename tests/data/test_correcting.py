"""`gazette corpus correct` and `extend`: from feedback, audits and new articles to the tracked overlay."""

import json
import random
import re
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc import storage
from prefect_dvc.core.errors import ConfigError, DataContractError
from projects import shell

from gazette.cli.corpus import corpus
from gazette.core.corpus import OVERLAY, read_description
from gazette.data import correcting, erased, overlay
from gazette.data.corrected import read_corrected
from gazette.data.feedback import Feedback
from gazette.data.readers import read
from gazette.evaluation.audit import spreadsheet

pytestmark = pytest.mark.usefixtures("warm_commands")

DESCRIPTION = """\
language: en
labels: [sport, trade]
files: {train: [{format: csv, path: all.csv, header: true, text: [title, text], label: label}]}
source: made here
terms: none
"""
ROWS = [(f"{word} number {n}", f"=the body\nof {n}", word) for n in range(8) for word in ("sport", "trade")]
RAW = Path("data/raw/tiny")
ANSWER = Feedback("Sport NUMBER 0\n=the body of 0", "trade", "sport", "d", "2026-11-29T03:00:00", "ab12", "volunteered")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git and DVC project with a corpus of sixteen articles."""
    monkeypatch.chdir(tmp_path)
    for words in (["git", "init", "-q"], ["dvc", "init", "-q"]):
        subprocess.run(words, check=True, capture_output=True)
    for folder in ("data/corpora", RAW):
        Path(folder).mkdir(parents=True)
    Path("data/corpora/tiny.yaml").write_text(DESCRIPTION)
    Path("params.yaml").write_text("corpus: tiny\npreprocess: {valid_share: 0.2, test_share: 0.2}\n")
    pl.DataFrame(ROWS, schema=["title", "text", "label"], orient="row").write_csv(RAW / "all.csv")
    storage.dvc_add(RAW)
    return tmp_path


def write(path: str, *answers: Feedback) -> str:
    Path(path).write_text("".join(json.dumps(asdict(answer)) + "\n" for answer in answers))
    return path


def call(*words: str) -> Result:
    result = CliRunner().invoke(corpus, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def corrected() -> tuple[list[tuple[str, str]], dict[str, dict[str, int]]]:
    """Return text and label of the articles as corrected, and the counts by source."""
    articles, _, _, about = read_corrected(read_description(Path("data/corpora/tiny.yaml")), RAW)
    return articles.select("text", "label").rows(), about.get("sources", {})


@pytest.mark.slow
def test_feedback_becomes_an_overlay_that_a_second_time_changes_nothing(project: Path) -> None:
    raw, pointer = (RAW / "all.csv").read_bytes(), Path("data/raw/tiny.dvc").read_text()
    file = write("f.jsonl", ANSWER, replace(ANSWER, text="Something new"), replace(ANSWER, label="sport", how="asked"))
    shown = call("correct", "tiny", file, "--dry-run").output
    assert "f.jsonl, line 2" in shown and "become rows of train" in shown and "Nothing was written" in shown
    assert not (RAW / OVERLAY).exists()
    assert "3 lines" in call("correct", "tiny", file, "--yes").output
    assert (RAW / "all.csv").read_bytes() == raw and Path("data/raw/tiny.dvc").read_text() != pointer
    content = (RAW / OVERLAY).read_bytes()
    assert "has all of this already" in call("correct", "tiny", file, file, "--yes").output
    assert (RAW / OVERLAY).read_bytes() == content
    articles, sources = corrected()
    assert articles[0][1] == "sport" and articles[-1] == ("Something new", "trade")  # what was asked for counts more
    assert sources == {"asked": {"unchanged": 1}, "volunteered": {"added": 1, "superseded": 1}}


@pytest.mark.slow
def test_an_audits_list_corrects_the_whole_text_of_its_rows(project: Path) -> None:
    listed = pl.DataFrame(
        [("all.csv", 2, "sport", "trade", "sport number 0 =the body of 0"),
         ("all.csv", 4, "trade", None, "trade number 0"),
         ("all.csv", 7, "sport", "trade", "another text than there"),
         ("all.csv", 99, "trade", "sport", "gone")],
        schema=["file", "line", "label", "correct_label", "text"], orient="row",
    )  # fmt: skip
    spreadsheet.write_spreadsheet(Path("list.csv"), listed)
    assert "not in the corpus as listed: 2 lines of audits" in call("correct", "tiny", "list.csv", "--yes").output
    assert corrected()[0][0] == ("sport number 0\n=the body\nof 0", "trade")
    assert corrected()[1] == {"audit": {"relabeled": 1}}


@pytest.mark.slow
def test_an_audit_corrects_an_article_that_the_overlay_added(project: Path) -> None:
    call("correct", "tiny", write("f.jsonl", replace(ANSWER, text="Something new")), "--yes")
    row = pl.DataFrame(
        {"file": [OVERLAY], "line": [1], "label": ["trade"], "correct_label": ["sport"], "text": ["Some"]}
    )
    spreadsheet.write_spreadsheet(Path("list.csv"), row)
    call("correct", "tiny", "list.csv", "--yes")
    assert corrected()[0][-1] == ("Something new", "sport")


@pytest.mark.slow
def test_new_articles_join_train_and_known_ones_change_nothing(project: Path) -> None:
    Path("more.csv").write_text("title,text,label\nA goal,in May,sport\nsport number 0,=the body of 0,trade\n")
    shown = call("extend", "tiny", "more.csv", "--yes").output
    assert "are in the corpus already" in shown
    articles, sources = corrected()
    assert (len(articles), articles[-1], articles[0][1]) == (len(ROWS) + 1, ("A goal\nin May", "sport"), "sport")
    assert sources == {"added": {"added": 1, "known": 1}}
    Path("other.jsonl").write_text('{"body": "A bank", "class": "trade"}\n')
    call("extend", "tiny", "other.jsonl", "--text", "body", "--label", "class", "--yes")
    assert corrected()[0][-1] == ("A goal\nin May", "sport") and ("A bank", "trade") in corrected()[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "content", "message"),
    [
        ("extend", "title,text,label\na,b,sport\nc,d,sports\n", r"1 of 2 rows .*line 3.*did you mean 'sport'"),
        ("correct", json.dumps(asdict(replace(ANSWER, label="sports"))), r"line 1: unknown label 'sports'"),
        ("correct", "\n".join(json.dumps(asdict(replace(ANSWER, label=of, how="asked"))) for of in ("trade", "sport")),
         r"contradict each other.*\n.*'sport' in .*line 2; 'trade' in .*line 1"),
        ("correct", '{"text": "x"}', r"line 1: expected an object with the texts digest"),
    ],
    ids=["a new article's label", "a label", "a contradiction", "no feedback"],
)  # fmt: skip
def test_what_breaks_the_contract_is_refused_and_nothing_is_written(
    project: Path, command: str, content: str, message: str
) -> None:
    name = "more.csv" if command == "extend" else "f.jsonl"
    Path(name).write_text(content)
    with pytest.raises(DataContractError, match=message):
        call(command, "tiny", name, "--yes")
    assert not (RAW / OVERLAY).exists()


@pytest.mark.slow
def test_what_is_torn_or_junk_or_disputed_is_left_out_with_its_count(project: Path) -> None:
    junk = [replace(ANSWER, text=text) for text in ("!", "...", "A goal")]
    file = write("f.jsonl", *junk, ANSWER, replace(ANSWER, label="sport"))
    with Path(file).open("a") as answers:
        answers.write('{"text": "cut o')
    shown = call("correct", "tiny", file, "--yes").output
    assert "no JSON, as after a full disk: 1 line of feedback" in shown
    assert "2 new texts cannot be used, so they are left out. The first: f.jsonl, line 1: no word" in shown
    assert re.search(r"volunteered +1 +have several labels by volunteers", shown)  # two answers, one text
    articles, sources = corrected()
    assert (articles[0][1], articles[len(ROWS) :]) == ("sport", [("A goal", "trade")])
    assert sources == {"volunteered": {"added": 1, "disputed": 2}}


def test_a_list_in_another_encoding_is_read_if_it_is_named(project: Path) -> None:
    rows = "all.csv,2,sport,trade,sport number 0\nall.csv,99,trade,sport,Café\n"
    Path("list.csv").write_bytes(f"file,line,label,correct_label,text\n{rows}".encode("cp1252"))
    with pytest.raises(ConfigError, match="--encoding"):
        call("correct", "tiny", "list.csv", "--dry-run")
    shown = call("correct", "tiny", "list.csv", "--encoding", "windows-1252", "--dry-run")
    assert shown.exit_code == 0 and "get another label" in shown.output and "1 line of audits" in shown.output


def test_a_file_that_is_neither_feedback_nor_a_list_is_refused_by_its_name(project: Path) -> None:
    Path("list.xlsx").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"list\.xlsx: expected feedback \(\.jsonl\) or a list .*\.csv, \.tsv"):
        call("correct", "tiny", "list.xlsx", "--dry-run")


def test_files_that_are_missing_come_from_where_their_corrections_are(project: Path) -> None:
    with pytest.raises(ConfigError, match="`gazette corpus fetch tiny` if it has no corrections"):
        missing()
    (RAW / OVERLAY).write_text("")
    storage.dvc_add(RAW)
    with pytest.raises(ConfigError, match=r"run `dvc pull data/raw/tiny\.dvc`$"):
        missing()


def missing() -> None:
    RAW.rename("aside")
    try:
        correcting.check_recorded("tiny")
    finally:
        Path("aside").rename(RAW)


@pytest.mark.slow
def test_raw_files_that_their_pointer_does_not_record_are_not_recorded_by_the_way(project: Path) -> None:
    (RAW / "all.csv").write_text("title,text,label\na,b,sport\n")
    with pytest.raises(DataContractError, match="`dvc add data/raw/tiny` records an edit"):
        call("correct", "tiny", write("f.jsonl", ANSWER), "--yes")


@pytest.mark.slow
def test_publishing_pushes_data_and_pointer_and_nothing_else(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    shell(
        project, "git config user.name t && git config user.email t@example.org && dvc remote add -q -d store ../store"
    )
    shell(project, "git add -A && git commit -qm start && git init -q --bare -b main ../origin.git")
    shell(project, "git branch -M main && git remote add origin ../origin.git && git push -qu origin main")
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "# an edit of mine\n")
    shown = call("correct", "tiny", write("f.jsonl", ANSWER), "--yes", "--publish").output
    assert "Pushed data/raw/tiny.dvc; PREFECT_API_URL names no server." in shown
    assert (
        shell(project, "git show --name-only --format=%s origin/main") == "Correct the corpus tiny\n\ndata/raw/tiny.dvc"
    )
    assert shell(project, "dvc status -q --cloud data/raw/tiny.dvc") == ""


def test_without_a_remote_of_dvc_nothing_is_published(project: Path) -> None:
    shell(project, "git config user.name t && git config user.email t@example.org")
    shell(project, "git add -A && git commit -qm start")
    with pytest.raises(ConfigError, match="`dvc remote add --default NAME URL`"):
        call("correct", "tiny", write("f.jsonl", ANSWER), "--yes", "--publish")
    assert shell(project, "git log --format=%s") == "start"


def test_without_a_terminal_nothing_is_confirmed(project: Path) -> None:
    assert call("correct", "tiny", write("f.jsonl", ANSWER)).exit_code == 2


@given(
    st.lists(
        st.builds(
            replace,
            st.just(ANSWER),
            text=st.sampled_from(["A b", "a  B", "sport number 0\n=the body\nof 0", "c"]),
            label=st.sampled_from(["sport", "trade"]),
            when=st.sampled_from(["2026-01-01", "2026-01-02"]),
            how=st.sampled_from(["volunteered", "asked"]),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_the_overlay_depends_on_the_set_of_corrections_alone(answers: list[Feedback], shuffle: random.Random) -> None:
    raw = pl.DataFrame({"text": [f"{title}\n{body}" for title, body, _ in ROWS]})

    def content(records: list[Feedback]) -> str:
        rows = [correcting._from_feedback(record, f"line {n}") for n, record in enumerate(records)]
        kind = pl.when(pl.col("key").is_in(raw["text"].implode())).then(pl.lit("label")).otherwise(pl.lit("article"))
        return correcting.merge(overlay.to_frame(rows).with_columns(kind=kind), "none")[1]

    shuffled = answers + answers[:2]
    shuffle.shuffle(shuffled)
    assert content(answers) == content(shuffled)
    assert len(content(answers).splitlines()) == len(
        {(a.text.lower().replace("  ", " "), a.label, a.how) for a in answers}
    )


def test_read_corpus_does_not_take_the_overlay_for_a_raw_file(tmp_path: Path) -> None:
    for name in ("sport/1.txt", "trade/1.txt", OVERLAY):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    Path(tmp_path / "tiny.yaml").write_text(
        "language: en\nlabels: [sport, trade]\nfiles: {train: [{format: folder, path: .}]}\nsource: s\nterms: t\n"
    )
    articles, rejects, _ = read.read_corpus(read_description(tmp_path / "tiny.yaml"), tmp_path)
    assert (articles.height, rejects.filter(pl.col("file") == OVERLAY).height) == (2, 0)


def test_an_erased_article_is_not_added_again(project: Path) -> None:
    text = "A text that was erased"
    erased.record_erased(erased.hash_texts(pl.Series([text]))[0])
    output = call("correct", "tiny", write("f.jsonl", replace(ANSWER, text=text.upper())), "--yes").output
    assert f"1 new texts cannot be used, so they are left out. The first: f.jsonl, line 1: {erased.REASON}" in output
    more = {"title": [text, "A new one", "Another new one"], "text": [""] * 3, "label": ["sport"] * 3}
    pl.DataFrame(more).write_csv("more.csv")
    with pytest.raises(DataContractError, match=r"nothing is added\. The first: .*: erased on request"):
        call("extend", "tiny", "more.csv", "--yes")


def test_a_table_of_texts_and_labels_is_no_list_of_an_audit(project: Path) -> None:
    Path("news.csv").write_text("title,text,label\nA goal,in May,sport\n")
    with pytest.raises(ConfigError, match=r"no column 'file' .*expected a list of `gazette corpus audit`"):
        call("correct", "tiny", "news.csv", "--dry-run")
