"""`gazette corpus add`, `list`, `show` and `remove`: everything is shown, a corpus comes in whole, or nothing does."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from dvc.repo import Repo
from hypothesis import given
from hypothesis import strategies as st
from prefect_dvc import hashing
from prefect_dvc.core.errors import CommandError, ConfigError, DataContractError

from gazette.cli import app
from gazette.core import corpus, pointers
from gazette.core.corpus import Corpus
from gazette.data import ingest
from gazette.data.description import render_description
from gazette.data.readers import read

ROWS = [("a", 'Goal, said "she"'), ("b", "Bank"), ("a", "Coach"), ("b", "Shares")]
NEWS = 'label,text\na,"Goal, said ""she"""\nb,Bank\na,Coach\nb,Shares\n'
NAMED = ["--lang", "en", "--text", "text", "--label", "label"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project under git and DVC, and a folder beside it where files of a stranger lie."""
    here = tmp_path / "project"
    for name in ("data/raw", "data/corpora"):
        (here / name).mkdir(parents=True)
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(here)
    subprocess.run(["git", "init", "--quiet"], check=True)
    Repo.init(str(here)).close()
    (here / ".gitignore").write_text("/data/raw/?*/\n")
    (here / "params.yaml").write_text("corpus: other\nvalidate: {max_quarantined: 0.1}\n")
    return here


@pytest.fixture
def lay(project: Path) -> Callable[..., str]:
    """Lays a stranger's file down, and says where."""

    def down(name: str, content: str | bytes = NEWS) -> str:
        path = project.parent / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return down


Lay = Callable[..., str]


def call(*words: str) -> Result:
    return CliRunner().invoke(app.gazette, ["corpus", *words])


def add(*words: str, name: str = "tiny") -> Result:
    result = call("add", name, *words, "--yes")
    assert result.exception is None, result.output
    return result


def refused(*words: str, name: str = "tiny") -> tuple[BaseException | None, str, int]:
    result = call("add", name, *words, "--yes")
    assert result.exception is not None, result.output
    assert isinstance(result.exception, CommandError) or result.exit_code == 2
    return result.exception, str(result.exception) + result.output, result.exit_code


def everything(folder: Path) -> dict[str, bytes]:
    """All files below, but for DVC's own and git's."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if not {".dvc", ".git"} & set(path.relative_to(folder).parts)
    }


def articles(name: str = "tiny") -> list[tuple[Any, ...]]:
    table, _, _ = read.read_corpus(corpus.read_description(Path(f"data/corpora/{name}.yaml")), Path("data/raw") / name)
    return table.select("split", "label", "text").rows()


# What comes in


def test_a_corpus_is_copied_described_and_put_under_dvc(project: Path, lay: Lay) -> None:
    source = lay("news.csv")
    add("--train", source, *NAMED)
    assert (project / "data/raw/tiny/train/news.csv").read_text() == Path(source).read_text() == NEWS
    assert articles() == [("train", label, text) for label, text in ROWS]
    assert pointers.read_hash(Path("data/raw/tiny.dvc")) == hashing.dvc_hash(Path("data/raw/tiny"))
    assert sorted(set(everything(project)) - {".dvcignore", ".gitignore", "params.yaml"}) == [
        "data",
        "data/corpora",
        "data/corpora/tiny.yaml",
        "data/raw",
        "data/raw/tiny",
        "data/raw/tiny.dvc",
        "data/raw/tiny/train",
        "data/raw/tiny/train/news.csv",
    ]


def test_the_description_says_how_each_file_is_laid_out(project: Path, lay: Lay) -> None:
    test = lay("test.tsv", "Bank\tShares\t2\nGoal\tCoach\t1\n")
    columns = ["--test-text", "1", "--test-text", "2", "--test-label", "3"]
    train = lay("train.csv", "label,id,text\n1,7,Goal\n2,8,Bank\n1,9,Match\n2,10,Law\n")
    classes = lay("classes.txt", "Sport\nTrade\n\n")
    add("--train", train, "--test", test, *NAMED, *columns, "--classes", classes, "--terms", "ours")
    assert (project / "data/corpora/tiny.yaml").read_text().split("\n")[1:] == [
        "language: en",
        "labels: [Sport, Trade]",
        "numbered_from: 1",
        "files:",
        "  train:",
        "    - {format: csv, path: train/train.csv, delimiter: ',', quotes: true, header: true, text: [text], "
        "label: label}",
        "  test:",
        '    - {format: csv, path: test/test.tsv, delimiter: "\\t", quotes: false, header: false, text: [1, 2], '
        "label: 3}",
        "source: added from train.csv, test.tsv",
        "terms: ours",
        "",
    ]
    assert articles()[:2] == [("test", "Trade", "Bank\nShares"), ("test", "Sport", "Goal\nCoach")]


def test_files_of_one_name_get_names_of_their_own(project: Path, lay: Lay) -> None:
    add("--train", lay("one/news.csv"), "--train", lay("two/News.csv"), "--test", lay("three/news.csv"), *NAMED)
    assert [path for path in everything(project / "data/raw/tiny") if path.endswith("csv")] == [
        "test/news.csv",
        "train/News_2.csv",
        "train/news.csv",
    ]
    assert len(articles()) == 12


def test_a_folder_per_class_is_copied_without_what_is_hidden_or_leads_out(project: Path, lay: Lay) -> None:
    secret = lay("secret.txt", "not of the corpus")
    for name in ("f/a/1.txt", "f/b/2.txt", "f/a/3.txt", "f/b/5.txt", "f/a/7.txt", "f/.git/config", "f/a/.DS_Store"):
        lay(name, f"Text of {name}")
    folder = project.parent / "in/f"
    (folder / "a/4.txt").symlink_to(secret)
    (folder / "b/6.txt").symlink_to(folder / "a/1.txt")
    (folder / "c").symlink_to(project.parent)
    os.mkfifo(folder / "a/pipe")
    add("--train", str(folder), "--lang", "en")
    copied = project / "data/raw/tiny/train"
    assert [path.relative_to(copied).as_posix() for path in sorted(copied.rglob("*.*"))] == [
        "a/1.txt",
        "a/3.txt",
        "a/7.txt",
        "b/2.txt",
        "b/5.txt",
        "b/6.txt",
    ]
    assert not any(path.is_symlink() for path in copied.rglob("*"))
    assert len(articles()) == 6
    assert "path: train}" in (project / "data/corpora/tiny.yaml").read_text()


def test_a_file_that_is_given_by_a_link_is_copied_under_the_links_name(project: Path, lay: Lay) -> None:
    (project.parent / "in/news.csv").symlink_to(lay("blobs/0123abc"))
    add("--train", str(project.parent / "in/news.csv"), *NAMED)
    assert (project / "data/raw/tiny/train/news.csv").read_text() == NEWS


def test_parquet_and_json_lines_come_in_alike(project: Path, lay: Lay) -> None:
    pl.DataFrame({"text": [text for _, text in ROWS], "label": [label for label, _ in ROWS]}).write_parquet(
        project.parent / "in/news.parquet"
    )
    lines = "".join(json.dumps({"text": text, "label": label}) + "\n" for label, text in ROWS)
    add("--train", str(project.parent / "in/news.parquet"), "--test", lay("news.jsonl", lines), *NAMED)
    assert articles() == [(split, *row) for split in ("test", "train") for row in ROWS]


labels = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)


@given(st.lists(labels, min_size=2, max_size=5, unique=True), labels, st.lists(labels, min_size=1))
def test_whatever_a_description_says_is_read_back_from_it(names: list[str], path: str, columns: list[str]) -> None:
    file = {"format": "csv", "path": f"a/{path.replace('/', '')}x", "header": True, "text": columns, "label": names[0]}
    about = {"language": "zh", "labels": names, "source": path, "terms": names[1], "files": {"train": [file, file]}}
    described = Corpus.model_validate(about)
    with TemporaryDirectory() as folder:
        written = Path(folder) / "x.yaml"
        written.write_text(render_description(described), encoding="utf-8")
        assert corpus.read_description(written) == described


# What is shown


def test_articles_classes_unused_columns_and_faults_are_shown_before(lay: Lay) -> None:
    more = "".join(f"{label},1,Text {number}\n" for number in range(9) for label in "ab")
    output = add("--train", lay("n.csv", "label,id,text\na,1,\x1b[31mGoal\n\nb,2\n,3,Law\n" + more), *NAMED).output
    shown = " ".join(output.split())
    assert "a comma separates, fields may stand in double quotes, a header; text: 'text'; label: 'label'" in shown
    assert "not used: 'id'" in shown
    assert "blank lines, skipped: 1" in shown
    assert "label text a \\x1b[31mGoal Law a Text 0" in shown
    assert "\x1b" not in output
    assert "a 10 b 9" in shown
    assert "2 of 21 rows (9.52%) will go to quarantine" in shown
    assert "n.csv, line 4: 2 fields, expected 3" in shown
    assert "max_quarantined" not in shown


def test_more_faults_than_validate_allows_are_said(lay: Lay) -> None:
    output = add("--train", lay("n.csv", NEWS + "a\n"), *NAMED).output
    assert "validate.max_quarantined in params.yaml allows 10.00%: `gazette run` will stop." in output


def test_a_class_of_one_article_is_named_with_its_place(lay: Lay) -> None:
    path = lay("news.csv", f"{NEWS}Total,60\n")
    warning = f"A class of one article: {path}, line 6 ('Total'); is it a footer, or is a label misspelled?"
    assert warning in add("--train", path, *NAMED).output


def test_a_class_that_train_lacks_is_said(lay: Lay) -> None:
    output = add("--train", lay("n.csv"), "--test", lay("t.csv", NEWS + "c,Law\n"), *NAMED).output
    assert "t.csv, line 6: unknown label 'c'" in output
    numbered = [lay("n.csv", NEWS.replace("a,", "0,").replace("b,", "1,")), lay("t.csv", "label,text\n0,x\n2,y\n")]
    words = ["--train", numbered[0], "--test", numbered[1], *NAMED, "--classes", lay("c.txt", "x\ny\n[z]\n")]
    assert "No article of train is of '[z]'." in add(*words, name="other").output


def test_an_encoding_that_is_a_guess_is_shown_as_one_beside_articles_that_tell(lay: Lay) -> None:
    news = NEWS + "a,国家队昨晚在主场赢得了比赛\nb,银行今天宣布下调贷款利率\n" * 5
    words = ["--train", lay("n.csv", news.encode("gb18030")), "--lang", "zh", *NAMED[2:], "--dry-run"]
    output = call("add", "tiny", *words).output
    assert "GB 18030 (GBK): a guess; if letters are wrong below, name the encoding by --encoding\n" in output
    assert "国家队" in output and "Goal" not in output
    assert "a guess" not in call("add", "tiny", *words, "--encoding", "gbk").output


def test_a_dry_run_adds_nothing(project: Path, lay: Lay) -> None:
    source, before = lay("news.csv"), everything(project)
    result = call("add", "tiny", "--train", source, *NAMED, "--dry-run")
    assert result.exit_code == 0
    assert "Nothing was added" in result.output
    assert everything(project) == before


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 1)])
def test_who_is_asked_decides(project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr("gazette.cli.project.can_ask", lambda: True)
    source = lay("news.csv")
    result = CliRunner().invoke(app.gazette, ["corpus", "add", "tiny", "--train", source, *NAMED], input=answer)
    assert result.exit_code == code
    assert (project / "data/corpora/tiny.yaml").exists() == (code == 0)


def test_where_nobody_can_be_asked_a_script_must_say_yes(lay: Lay) -> None:
    result = call("add", "tiny", "--train", lay("news.csv"), *NAMED)
    assert result.exit_code == 2
    assert "--yes adds the corpus, --dry-run only shows it" in result.output


# Dates

DATED = "text,label,day\nGoal,a,01/02/2004\nBank,b,{}\nCoach,a,\n"
DAY = ["--date", "day", "--until", "2005-01-01"]


def dates() -> list[str | None]:
    described = corpus.read_description(Path("data/corpora/tiny.yaml"))
    table = read.read_corpus(described, Path("data/raw/tiny"))[0]
    return [moment and moment.date().isoformat() for moment in table["date"]]


def test_the_format_of_dates_is_found_out_shown_and_described(project: Path, lay: Lay) -> None:
    output = add("--train", lay("news.csv", DATED.format("31/12/2004")), *NAMED, *DAY).output
    assert "date: 'day', %d/%m/%Y (day first), UTC" in output
    assert "dates from 2004-02-01 to 2004-12-31" in output and "articles without a date: 1" in output
    description = (project / "data/corpora/tiny.yaml").read_text()
    assert "date: day, date_format: '%d/%m/%Y', time_zone: UTC}" in " ".join(description.split())
    assert "until: 2005-01-01\n" in description
    assert dates() == ["2004-02-01", "2004-12-31", None]


def test_dates_that_two_formats_read_are_refused_with_the_option_that_decides(project: Path, lay: Lay) -> None:
    source = lay("news.csv", DATED.format("02/03/2004"))
    error, output, code = refused("--train", source, *NAMED, *DAY)
    assert isinstance(error, ConfigError) and code == 1
    assert "1 February 2004 with --date-format %d/%m/%Y (day first)" in output
    add("--train", source, *NAMED, *DAY, "--date-format", "%m/%d/%Y")
    assert dates() == ["2004-01-02", "2004-02-03", None]


def test_on_a_terminal_dates_that_two_formats_read_are_a_question(
    project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gazette.cli.project.can_ask", lambda: True)
    words = ["corpus", "add", "tiny", "--train", lay("news.csv", DATED.format("02/03/2004")), *NAMED, *DAY]
    result = CliRunner().invoke(app.gazette, words, input="%m/%d/%Y\ny\n")
    assert result.exit_code == 0, result.output
    assert dates() == ["2004-01-02", "2004-02-03", None]


def test_dates_of_a_file_without_a_header_are_at_a_position(project: Path, lay: Lay) -> None:
    source = lay("news.csv", "a,2004-01-02 10:00,Goal\nb,2004-07-01 10:00,Bank\na,2004-01-03 09:00,Match\n")
    add("--train", source, "--lang", "en", "--text", "3", "--label", "1", "--date", "2", "--time-zone", "Asia/Tokyo")
    described = corpus.read_description(project / "data/corpora/tiny.yaml").files["train"][0]
    assert isinstance(described, corpus.Delimited) and (described.date, described.time_zone) == (2, "Asia/Tokyo")
    assert dates() == ["2004-01-02", "2004-07-01", "2004-01-03"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--date", "label"], "it is a column of the text, or the label's"),
        (["--date", "when"], "no column 'when'"),
        (["--date", "day", "--time-zone", "Mars"], "'Mars' is no time zone"),
        (["--date", "day", "--date-format", "dd/mm/yyyy"], "such as %d/%m/%Y"),
        (["--date", "day", "--until", "soon"], "does not match the format"),
    ],
)
def test_a_wrong_option_of_dates_is_refused(lay: Lay, words: list[str], message: str) -> None:
    _, output, code = refused("--train", lay("news.csv", DATED.format("31/12/2004")), *NAMED, *words)
    assert code in (1, 2) and message in output


# What leaves nothing behind

TWINS = NEWS + "A,Match\n"


@pytest.mark.parametrize(
    ("name", "content", "words", "kind", "message"),
    [
        ("n.csv", NEWS, ["--text", "txt", "--label", "label"], ConfigError, "no column 'txt'"),
        ("n.csv", NEWS, ["--text", "2", "--label", "1"], ConfigError, "looks like a header"),
        ("n.csv", NEWS, ["--text", "text"], SystemExit, "has columns: name them"),
        ("n.csv", TWINS, NAMED[2:], DataContractError, "two classes that look the same: 'a' "),
        ("n.csv", "label,text\na,x\na,y\n", NAMED[2:], DataContractError, "train has 1 class"),
        ("n.csv", "label,text\na,x\n" + "b\n" * 5, NAMED[2:], DataContractError, "5 of 6 rows cannot be used"),
        ("n.csv", "label,text\n" + "a,\nb, \n" * 5, NAMED[2:], DataContractError, "10 of 10 rows cannot be used"),
        ("n.csv", "PK\x03\x04", NAMED[2:], DataContractError, "zip"),
        ("corrections.jsonl", '{"label": "a", "text": "x"}\n', NAMED[2:], ConfigError, "rename the file"),
        ("n\u202e.csv", NEWS, NAMED[2:], DataContractError, "unprintable characters"),
        ("n.csv", NEWS, ["--train", "/none.csv", *NAMED[2:]], SystemExit, "does not exist"),
    ],
)
def test_what_cannot_be_added_leaves_nothing_behind(
    project: Path, lay: Lay, name: str, content: str, words: list[str], kind: type, message: str
) -> None:
    source, before = lay(name, content), everything(project)
    error, output, _ = refused("--train", source, "--lang", "en", *words)
    assert isinstance(error, kind)
    assert message in output
    assert everything(project) == before


@pytest.mark.parametrize("name", ["My", "../x", "a-b", "1a", "", "a" * 61])
def test_a_name_is_one_word(lay: Lay, name: str) -> None:
    assert "lower-case letters, digits and _" in refused("--train", lay("n.csv"), *NAMED, name=name)[1]


@pytest.mark.parametrize("taken", ["data/corpora/tiny.yaml", "data/raw/tiny.dvc", "data/raw/tiny"])
def test_a_name_that_is_taken_is_refused_and_what_has_it_is_kept(project: Path, lay: Lay, taken: str) -> None:
    (project / taken).symlink_to("nowhere")
    before = everything(project)
    error, output, _ = refused("--train", lay("n.csv"), *NAMED)
    assert isinstance(error, ConfigError)
    assert f"the name tiny is taken: {taken} exists" in output
    assert everything(project) == before


def test_a_file_that_dvc_would_not_record_is_refused(project: Path, lay: Lay) -> None:
    (project / ".dvcignore").write_text("# editors\n*.orig\n")
    source, before = lay("n.csv.orig"), everything(project)
    error, output, _ = refused("--train", source, *NAMED)
    assert isinstance(error, ConfigError)
    assert "data/raw/tiny/train/n.csv.orig: DVC would leave it out (.dvcignore:2:*.orig)" in output
    assert everything(project) == before


@pytest.mark.parametrize(
    "step", ["prefect_dvc.storage.dvc_add", "gazette.data.ingest._copy", "pathlib.Path.write_text"]
)
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_whatever_fails_nothing_stays(
    project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    source, before = lay("n.csv"), everything(project)

    def fails(*args: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(step, fails)
    assert call("add", "tiny", "--train", source, *NAMED, "--yes").exit_code != 0
    assert everything(project) == before


def test_a_description_that_cannot_take_its_place_leaves_nothing(
    project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, before, rename = lay("n.csv"), everything(project), Path.rename

    def fails(path: Path, target: Path) -> Path:
        if path.suffix == ".partial":
            raise OSError
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    assert call("add", "tiny", "--train", source, *NAMED, "--yes").exit_code != 0
    assert everything(project) == before


def test_a_file_that_changes_between_look_and_copy_is_refused(
    project: Path, lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, before, validate_rows = lay("n.csv"), everything(project), ingest.validate_rows

    def meanwhile(*args: Any) -> Any:
        lay("n.csv", NEWS + "a,more\n")
        return validate_rows(*args)

    monkeypatch.setattr(ingest, "validate_rows", meanwhile)
    assert "changed after it was read" in refused("--train", source, *NAMED)[1]
    assert everything(project) == before


def test_a_list_of_classes_without_a_class_on_a_line_is_refused(lay: Lay) -> None:
    words = ["--train", lay("n.csv"), *NAMED, "--classes", lay("c.txt", "x\n\ny\n")]
    assert "c.txt, line 2: no class" in " ".join(refused(*words)[1].split())


# What is there, and what goes


@pytest.fixture
def tiny(project: Path, lay: Lay) -> Path:
    add("--train", lay("n.csv", NEWS + "a\n"), *NAMED)
    return project


def test_corpora_are_listed_and_one_that_cannot_be_read_is_said(tiny: Path) -> None:
    (tiny / "data/corpora/other.yaml").write_text("langauge: en\n")
    listed = json.loads(call("list", "--json").stdout)
    assert listed[1] == {
        "name": "tiny",
        "chosen": False,
        "language": "en",
        "classes": 2,
        "splits": ["train"],
        "state": "present",
    }
    assert (listed[0]["name"], listed[0]["chosen"]) == ("other", True)
    assert "langauge" in listed[0]["error"]
    assert {"*", "other", "tiny", "present"} <= set(call("list").output.split())


def test_a_corpus_is_shown_with_its_rows(tiny: Path) -> None:
    shown = json.loads(call("show", "tiny", "--json").stdout)
    assert (shown["rows"], shown["rejected"], shown["state"]) == ({"train": {"a": 2, "b": 2}}, 1, "present")
    output = " ".join(call("show", "tiny").output.split())
    for part in (
        "tiny (en), 2 classes",
        "train/n.csv: UTF-8; a comma separates",
        "terms: not stated",
        "a 2 b 2",
        "line 6",
    ):
        assert part in output


def test_a_corpus_that_is_not_pulled_is_shown_without_rows(tiny: Path) -> None:
    (tiny / "data/raw/tiny").rename(tiny / "elsewhere")
    assert "not pulled: dvc pull data/raw/tiny.dvc" in call("show", "tiny").output
    assert json.loads(call("show", "tiny", "--json").stdout)["rows"] is None


@pytest.mark.parametrize("command", ["show", "remove"])
@pytest.mark.parametrize("name", ["none", "../corpora/tiny"])
def test_a_corpus_that_is_not_there_is_named_with_those_that_are(tiny: Path, command: str, name: str) -> None:
    error = call(command, name).exception
    assert isinstance(error, ConfigError)
    assert "it has: tiny" in str(error)


def test_a_corpus_is_removed_and_nothing_else(project: Path, lay: Lay) -> None:
    source, before = lay("n.csv"), everything(project)
    add("--train", source, *NAMED)
    output = call("remove", "tiny", "--yes").output
    assert "DVC's cache keeps its copies" in output
    assert everything(project) == before
    assert Path(source).exists()


def test_the_corpus_of_params_is_not_removed(tiny: Path) -> None:
    (tiny / "params.yaml").write_text("corpus: tiny\n")
    error = call("remove", "tiny", "--yes").exception
    assert isinstance(error, ConfigError)
    assert "params.yaml has `corpus: tiny`" in str(error)


def test_nothing_is_removed_before_somebody_agrees(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("remove", "tiny").exit_code == 2
    monkeypatch.setattr("gazette.cli.project.can_ask", lambda: True)
    result = CliRunner().invoke(app.gazette, ["corpus", "remove", "tiny"], input="n\n")
    assert (result.exit_code, (tiny / "data/raw/tiny").exists()) == (1, True)


@pytest.mark.parametrize("name", ["notes.txt", "train/notes.txt", "train/n.csv"])
def test_a_corpus_with_a_file_that_its_pointer_does_not_record_is_not_removed(tiny: Path, name: str) -> None:
    path = tiny / "data/raw/tiny" / name
    before = everything(tiny)
    path.write_text("mine")
    error = call("remove", "tiny", "--yes").exception
    assert isinstance(error, ConfigError) and f"data/raw/tiny/{name} is not as data/raw/tiny.dvc records" in str(error)
    assert everything(tiny).keys() >= before.keys() and path.read_text() == "mine"


def test_raw_files_without_a_pointer_are_not_removed(tiny: Path) -> None:
    (tiny / "data/raw/tiny.dvc").unlink()
    error = call("remove", "tiny", "--yes").exception
    assert isinstance(error, ConfigError) and "remove it yourself" in str(error)
    assert (tiny / "data/raw/tiny").exists() and (tiny / "data/corpora/tiny.yaml").exists()


def test_of_raw_files_behind_a_symlink_only_the_link_is_removed(tiny: Path) -> None:
    raw = tiny / "data/raw/tiny"
    raw.rename(tiny / "disk")
    raw.symlink_to(tiny / "disk")
    assert call("remove", "tiny", "--yes").exit_code == 0
    assert not raw.is_symlink() and list((tiny / "disk").iterdir())
