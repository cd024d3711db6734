"""Which rows are not written as the corpus says."""

import polars as pl
import pytest

from gazette.core import normalization
from gazette.data.validation import language

FOREIGN = [
    "Aktien in Frankfurt schließen im Minus, Autowerte unter Druck",
    "Le président français annonce une réforme des retraites pour septembre",
    "El Real Madrid vence al Barcelona y se pone líder de la liga",
    "Il governo approva la manovra, scontro con Bruxelles sul deficit",
    "Flamengo vence o Palmeiras e assume a liderança do campeonato",
    "Ajax wint overtuigend van Feyenoord in eigen huis",
    "Regeringen vill höja skatten på bensin och diesel nästa år",
    "Rząd przyjął projekt ustawy o podatku dochodowym od osób fizycznych",
    "Merkez Bankası faiz kararını açıkladı, dolar yükselişe geçti",
    "Harga minyak dunia naik karena kekhawatiran pasokan dari Timur Tengah",
]
ENGLISH = [
    "Kuznetsova, Petrova advance at Wismilak",
    "Barcelona defeats Zaragoza 4-1; Cameroon's Samuel Eto'o scores",
    "Schwarzenegger unveils hydrogen Hummer",
    "Nigeria police 'kill 27 Taleban' near Maiduguri",
    "Tokyo stocks shed 1 percent, dollar up vs. yen",
    "São Paulo, Córdoba: Fernández wins",
    "Real Madrid: 22-Raúl, 17-Beckham, 23-Figo, 4-Hierro, 6-Helguera",
]
SIMPLIFIED = ["北京今年经济增长百分之八", "国家队在亚洲杯获胜", "专家说房价还会上涨", "后天去公园里干什么"]
TRADITIONAL = ["國家隊在亞洲盃獲勝", "專家說房價還會上漲", "後天去公園裡幹什麼"]


def flagged(flag: str, code: str, *texts: str) -> list[bool]:
    keyed = normalization.add_key(pl.DataFrame({"text": texts}, schema={"text": pl.String}))
    marks = language.mark_languages(keyed, code)
    return language.flag_other_languages(marks, keyed["text"], code)[flag].to_list()


def test_a_row_of_less_than_half_latin_letters_is_foreign_in_english() -> None:
    texts = ["Shares fell 五", "half 半半半半", "half 半半半半半", "五五五", "Акции упали"]
    assert flagged("foreign_script", "en", *texts) == [False, False, True, True, True]


def test_a_row_of_less_than_a_quarter_chinese_characters_is_foreign_in_chinese() -> None:
    texts = ["股票跌了", "股 one two three", "股 one two three four", "Shares fell", "Акции упали", "삼성전자 주가"]
    assert flagged("foreign_script", "zh", *texts) == [False, False, True, True, True, True]


def test_a_latin_name_in_a_chinese_headline_is_one_word() -> None:
    assert flagged("foreign_script", "zh", "传中国游戏公司洽购Bigfishgames", "来沪Superjunior") == [False, False]


def test_digits_alone_are_in_no_foreign_script() -> None:
    assert flagged("foreign_script", "en", "2005") == flagged("foreign_script", "zh", "2005") == [False]


@pytest.mark.parametrize("text", FOREIGN)
def test_another_language_in_latin_letters_is_foreign(text: str) -> None:
    assert flagged("foreign_language", "en", text) == [True]


@pytest.mark.parametrize("text", ENGLISH)
def test_english_full_of_names_is_not(text: str) -> None:
    assert flagged("foreign_language", "en", text) == [False]


def test_a_large_corpus_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = flagged("foreign_language", "en", *FOREIGN, *ENGLISH)
    monkeypatch.setattr(language, "MAX_ROWS_IDENTIFIED", 5)
    sample = flagged("foreign_language", "en", *FOREIGN, *ENGLISH)
    assert sum(flag is not None for flag in sample) == 5
    assert all(flag in (None, expected) for flag, expected in zip(sample, whole, strict=True))


def test_nothing_is_said_of_a_few_words() -> None:
    assert flagged("foreign_language", "en", "Aktien unter Druck", "", "五五五") == [False] * 3


def test_thirty_latin_letters_tell_a_language_and_fewer_do_not() -> None:
    words = "Regeringen vill höja skatten på"
    assert sum(map(str.isalpha, words)) == 27
    assert flagged("foreign_language", "en", f"{words} ben", f"{words} be") == [True, False]


@pytest.mark.parametrize(("end", "foreign"), [(300, False), (301, True)])
def test_an_english_word_counts_if_it_ends_within_the_first_three_hundred_characters(end: int, foreign: bool) -> None:
    text = f"{FOREIGN[6].lower()} said " + f"{FOREIGN[6].lower()} " * 5
    assert flagged("foreign_language", "en", f"{text[: end - 5]}å the {text}") == [foreign]


def test_one_common_english_word_does_not_make_a_text_english() -> None:
    assert flagged("foreign_language", "en", f"{FOREIGN[7]} the", f"{FOREIGN[7]} the and") == [True, False]


def test_a_long_article_is_judged_by_its_start() -> None:
    english = "The president of the republic said on Monday that he would not stand again. " * 10
    foreign = " ".join(FOREIGN[:1] * 6)
    assert flagged("foreign_language", "en", english + foreign, foreign + english) == [False, True]


def test_a_quotation_among_common_english_words_is_not_foreign() -> None:
    assert flagged("foreign_language", "en", f"{FOREIGN[7]}, said the paper", FOREIGN[7]) == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "Regeringen vil ikke være med til at give penge, siger ministeren, der over for pressen taler om det",
        "De minister wil niet zeggen of hij over een jaar nog wat van de plannen over heeft, zo is het nu",
        "Die Kanzlerin will es nicht sagen, was auch immer es kostet, und das war es dann",
    ],
    ids=["Danish", "Dutch", "German"],
)
def test_short_words_that_english_shares_save_no_other_language(text: str) -> None:
    assert flagged("foreign_language", "en", text) == [True]


def test_japanese_is_foreign_in_a_chinese_corpus() -> None:
    assert flagged(
        "foreign_language", "zh", "首相は新しい経済対策を発表した", "鲜の每日：北京今年经济增长百分之八"
    ) == [
        True,
        False,
    ]


def test_a_tenth_of_kana_is_japanese() -> None:
    texts = ["北京今年经济增长百の", "北京今年经济增长百分の", "2005", "の"]
    assert flagged("foreign_language", "zh", *texts) == [True, False, False, True]


def test_two_characters_tell_a_form_if_they_are_more_than_those_of_the_other() -> None:
    texts = ["國人", "國隊", "國隊国队", "國隊會国队", "國隊国队会"]
    assert flagged("minority_variant", "zh", *SIMPLIFIED, *texts)[4:] == [False, True, False, True, False]
    texts = ["国人", "国队", "国队國隊", "国队会國隊", "国队國隊會"]
    assert flagged("minority_variant", "zh", *TRADITIONAL, *texts)[3:] == [False, True, False, True, False]


def test_of_as_many_rows_of_both_forms_the_traditional_ones_are_the_minority() -> None:
    assert flagged("minority_variant", "zh", SIMPLIFIED[1], TRADITIONAL[0]) == [False, True]


def test_the_form_of_fewer_rows_is_the_minority() -> None:
    assert flagged("minority_variant", "zh", *SIMPLIFIED, TRADITIONAL[0]) == [False] * 4 + [True]
    assert flagged("minority_variant", "zh", *TRADITIONAL, SIMPLIFIED[0]) == [False] * 3 + [True]


@pytest.mark.parametrize("text", ["后天去公园里干什么", "乾隆年间的瓷器", "朱镕基与王喆", "著名演员于谦"])
def test_characters_of_both_forms_and_of_names_tell_nothing(text: str) -> None:
    assert flagged("minority_variant", "zh", *SIMPLIFIED, text) == [False] * 5


def test_an_english_corpus_has_no_variants() -> None:
    assert flagged("minority_variant", "en", "one", "國家隊在亞洲盃獲勝") == [False, False]


def test_of_a_language_that_no_check_knows_only_the_script_is_told() -> None:
    texts = ["Акции упали", "Shares fell", "國家隊在亞洲盃獲勝"]
    assert flagged("foreign_script", "ru", *texts) == [False, True, True]
    assert flagged("foreign_script", "eo", *texts) == [False] * 3
    for code in ("ru", "eo"):
        assert flagged("foreign_language", code, *texts, *FOREIGN) == [False] * 13
        assert flagged("minority_variant", code, *texts) == [False] * 3


@pytest.mark.parametrize("code", ["en", "zh"])
def test_no_rows_have_no_flags(code: str) -> None:
    keyed = normalization.add_key(pl.DataFrame({"text": []}, schema={"text": pl.String}))
    flags = language.flag_other_languages(language.mark_languages(keyed, code), keyed["text"], code)
    assert (flags.height, flags.columns) == (0, ["foreign_script", "foreign_language", "minority_variant"])
    assert set(flags.dtypes) == {pl.Boolean}
