"""Any language is taken; a check that needs to know one and does not is skipped, and says so."""

import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from gazette.cli import app
from gazette.core.corpus import Corpus
from gazette.data import languages
from gazette.data.validation import language, near_duplicates, personal_data
from gazette.evaluation import slices

ROWS = "text,label\nx one,a\ny two,b\nz three,a\nw four,b\n"


def describe(code: str) -> Corpus:
    file = {"format": "jsonl", "path": "a", "text": ["text"], "label": "label"}
    about = {"language": code, "labels": ["a", "b"], "files": {"train": [file]}, "source": "here", "terms": "none"}
    return Corpus.model_validate(about)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("en", "en"), ("EN", "en"), ("eng", "en"), ("fr", "fr"), ("zh_CN", "zh-CN"), ("zh-hant", "zh-Hant"),
        ("pt-BR", "pt-BR"), ("iw", "he"), ("yue", "yue"), ("sr-Latn", "sr-Latn"), ("tlh", "tlh"),
    ],
)  # fmt: skip
def test_a_language_is_named_by_any_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, code: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.csv").write_text(ROWS)
    Path("params.yaml").write_text("corpus: other\n")
    words = ["--lang", word, "--train", "n.csv", "--text", "text", "--label", "label", "--dry-run"]
    result = CliRunner().invoke(app.gazette, ["corpus", "add", "x", *words])
    assert result.exit_code == 0, result.output
    assert describe(code).language == code


@pytest.mark.parametrize("word", ["English", "xx", "12", "", "e", "en_", "x-klingon"])
def test_what_is_no_code_is_refused(word: str) -> None:
    result = CliRunner().invoke(app.gazette, ["corpus", "add", "x", "--lang", word, "--train", ".", "--dry-run"])
    assert result.exit_code == 2
    assert f"{word!r} is no code of a language; expected one such as en, zh, fr or pt-BR" in " ".join(
        result.output.split()
    )


@pytest.mark.parametrize("code", ["English", "", "e", "EN", "zh_CN"])
def test_a_description_names_a_language_by_its_code(code: str) -> None:
    with pytest.raises(ValidationError):
        describe(code)


@pytest.mark.parametrize(
    ("code", "letter"),
    [("fr", "é"), ("ru", "ж"), ("ja", "の"), ("ja", "日"), ("ko", "한"), ("zh-Hant", "國"), ("sr", "ж"),
     ("sr-Latn", "ž"), ("el", "ω"), ("ar", "ع"), ("th", "ก"), ("hi", "क"), ("yue", "佢")],
)  # fmt: skip
def test_the_letters_of_a_language_are_known_by_its_script(code: str, letter: str) -> None:
    pattern = languages.home_script(code)
    assert pattern is not None
    assert pl.Series([letter, "ǂ"]).str.contains(pattern).to_list()[0]


def test_checks_of_a_language_that_they_do_not_know_are_skipped() -> None:
    assert languages.skipped_checks("en") == languages.skipped_checks("zh-Hant") == {}
    assert set(languages.skipped_checks("fr")) == {"foreign_language"}
    assert set(languages.skipped_checks("tlh")) == {"foreign_script", "foreign_language"}


@pytest.mark.parametrize(("code", "foreign"), [("ru", [True, False]), ("fr", [False, True]), ("tlh", [False, False])])
def test_a_foreign_script_is_flagged_where_the_script_is_known(code: str, foreign: list[bool]) -> None:
    keyed = pl.DataFrame(
        {"text": ["Shares fell again", "Акции снова упали"], "key": ["shares fell again", "акции снова упали"]}
    )
    marks = language.mark_languages(keyed, code)
    flags = language.flag_other_languages(marks, keyed["text"], code)
    assert flags["foreign_script"].to_list() == foreign
    assert not flags["foreign_language"].any()


@pytest.mark.parametrize("code", ["fr", "ja", "tlh", "pt-BR"])
def test_no_check_fails_for_a_language(code: str) -> None:
    texts = pl.Series(["Appelez le +33 1 42 68 53 00 ou a@b.org", "Appelez le +33 1 42 68 53 00 ou a@b.org", "x y z"])
    assert near_duplicates.group_near_duplicates(texts, 0.8, code).to_list() == [0, 0, 2]
    assert set(personal_data.find_personal_data(texts, code)["kind"]) >= {"email"}
    rows = pl.DataFrame({"text": texts, "label": ["a", "b", "a"], "file": "f"})
    assert ("script" in slices.slice_kinds(rows, code)) == (languages.home_script(code) is not None)


def test_a_language_has_a_name_or_its_code() -> None:
    assert [languages.display_name(code) for code in ("en", "zh-Hant", "tlh")] == [
        "English",
        "Chinese (zh-Hant)",
        "tlh",
    ]
    assert re.fullmatch(r"[A-Z][a-z]+", languages.display_name("fr"))
