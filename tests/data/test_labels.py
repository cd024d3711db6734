"""The classes of a corpus: found in its labels, or named by a list."""

import polars as pl
import pytest
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.data.labels import Classes, infer_labels, map_labels


def labeled(*train: str, test: tuple[str, ...] = ()) -> pl.DataFrame:
    splits = ["train"] * len(train) + ["test"] * len(test)
    labels = [*train, *test]
    return pl.DataFrame(
        {"label": labels, "split": splits, "place": [f"raw.csv, line {line}" for line in range(1, len(labels) + 1)]}
    )


def test_classes_are_the_labels_of_train_sorted() -> None:
    assert infer_labels(labeled("b", "a", "b", test=("a", "c"))) == Classes(["a", "b"])


def test_labels_that_are_numbers_are_sorted_by_size() -> None:
    assert infer_labels(labeled("10", "9", "2")).labels == ["2", "9", "10"]


def test_a_blank_label_is_no_class() -> None:
    assert infer_labels(labeled("b", "", " ", "a")).labels == ["a", "b"]


@pytest.mark.parametrize("labels", [("",), ("a", "a"), ("a", "")])
def test_one_class_is_none(labels: tuple[str, ...]) -> None:
    with pytest.raises(DataContractError, match=r"train has \d class.*two or more"):
        infer_labels(labeled(*labels))


def unreadable(folder: str, rows: int, reason: str = "not UTF-8: byte 0xd0 at position 1") -> pl.DataFrame:
    files = [f"{folder}/{row}.txt" for row in range(rows)]
    return pl.DataFrame({"split": "train", "file": files, "line": 1, "reason": reason})


def test_rows_that_cannot_be_read_come_first_if_a_class_is_missing() -> None:
    first = r"^60 rows of train cannot be read \(60 × not UTF-8\)\. The first: news/weather/0\.txt, line 1.*UTF-8.*"
    with pytest.raises(DataContractError, match=first + "train has 1 class: 'tech'; expected two or more"):
        infer_labels(labeled("tech", "tech"), unreadable("news/weather", 60))


def test_a_folder_without_a_readable_file_is_a_class_that_would_be_lost() -> None:
    read = labeled("tech", "sport").with_columns(file=pl.Series(["news/tech/1.txt", "news/sport/1.txt"]))
    with pytest.raises(DataContractError, match=r"^60 rows of train cannot be read.*'weather' would be no class"):
        infer_labels(read, unreadable("news/weather", 60))
    assert infer_labels(read, unreadable("news/tech", 1)).labels == ["sport", "tech"]
    assert infer_labels(read, unreadable("news/images", 60, "not text: PNG")).labels == ["sport", "tech"]


@pytest.mark.parametrize("labels", [[str(n % 1001) for n in range(5000)], [f"A text {n}" for n in range(30)]])
def test_a_column_of_texts_is_not_taken_for_labels(labels: list[str]) -> None:
    with pytest.raises(ConfigError, match="Is that the label column"):
        infer_labels(labeled(*labels))


@pytest.mark.parametrize(
    "twin", ["Trade ", " trade", "TRADE", "Ｔrade", "Tra\u200bde", "T rade", "Trade\u00a0", "'Trade'", "Tr\u0430de"]
)
def test_two_classes_that_look_the_same_are_refused_with_their_places(twin: str) -> None:
    with pytest.raises(DataContractError, match=r"'Trade' \(raw\.csv, line 1\) and '.+' \(raw\.csv, line 3\); use one"):
        infer_labels(labeled("Trade", "Sport", twin))
    with pytest.raises(DataContractError, match=r"'Trade' \(raw\.csv, line 1\) and '.+' \(raw\.csv, line 3\)"):
        infer_labels(labeled("Trade", "Sport", test=(twin,)))


@pytest.mark.parametrize(("number", "twin"), [("7", "007"), ("0", "00"), ("01", "1.0")])
def test_a_number_with_zeros_before_it_and_one_without_look_the_same(number: str, twin: str) -> None:
    with pytest.raises(DataContractError, match=rf"look the same: '{number}' .* and '{twin}'"):
        infer_labels(labeled(number, "12", twin))
    assert set(infer_labels(labeled("12", twin)).labels) == {"12", twin}


def test_what_makes_twins_differ_is_shown() -> None:
    with pytest.raises(DataContractError, match=r"'Tra\\u200bde'.* \(the second has U\+200B ZERO WIDTH SPACE\)"):
        infer_labels(labeled("Trade", "Tra\u200bde"))


@pytest.mark.parametrize("first", [0, 1])
def test_whether_labels_count_from_0_or_1_is_found_out(first: int) -> None:
    numbers = [str(number + first) for number in range(3)]
    assert map_labels(labeled(*numbers), ["x", "y", "z"]) == Classes(["x", "y", "z"], first)


@pytest.mark.parametrize(("numbers", "first"), [(["0", "1"], 0), (["2", "3"], 1)])
def test_one_end_of_the_numbers_is_enough(numbers: list[str], first: int) -> None:
    assert map_labels(labeled(*numbers), ["x", "y", "z"]).numbered_from == first


def test_numbers_that_could_begin_with_0_or_1_are_refused_until_somebody_says_it() -> None:
    with pytest.raises(ConfigError, match=r"from 1 to 2 for 3 classes: is 'x' number 0 or 1\? Add --numbered-from"):
        map_labels(labeled("1", "2"), ["x", "y", "z"])
    assert map_labels(labeled("1", "2"), ["x", "y", "z"], 0).numbered_from == 0


@pytest.mark.parametrize(("numbers", "wrong"), [("0123", 3), ("124", 4)])
def test_a_number_without_a_name_is_named_with_its_place(numbers: str, wrong: int) -> None:
    with pytest.raises(DataContractError, match=rf"raw\.csv, line \d: the label {wrong} has no name"):
        map_labels(labeled(*numbers), ["x", "y", "z"])


def test_names_that_are_labels_give_their_order() -> None:
    assert map_labels(labeled("b", "a", "7"), ["b", "a"]) == Classes(["b", "a"])


def test_names_that_fit_no_label_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"no label is a number or in 'x', 'y'; labels are '1\.5', '2\.5'"):
        map_labels(labeled("1.5", "2.5"), ["x", "y"])


@pytest.mark.parametrize("names", [["x"], ["x", "x"]])
def test_a_list_of_classes_names_each_once_and_two_at_least(names: list[str]) -> None:
    with pytest.raises(ConfigError, match="--classes"):
        map_labels(labeled("0", "1"), names)


def test_numbers_that_pandas_wrote_as_floats_are_numbers() -> None:
    assert map_labels(labeled("0", "1.0", "0.0", "1"), ["x", "y"]) == Classes(["x", "y"], 0)
    assert map_labels(labeled("1.0", "2.0"), ["2.0", "1.0"]) == Classes(["2.0", "1.0"])
    with pytest.raises(
        DataContractError, match=r"look the same: '1' \(raw\.csv, line 2\) and '1\.0' \(raw\.csv, line 3\)"
    ):
        infer_labels(labeled("0", "1", "1.0"))
    assert infer_labels(labeled("0.0", "1.0", "Web 2", "Web 2.0")).labels == ["0.0", "1.0", "Web 2", "Web 2.0"]


def test_a_number_of_any_length_is_no_class() -> None:
    with pytest.raises(
        ConfigError, match=r"^raw\.csv, line 2: the label '9{60}…' cannot be a class: .* 100 characters"
    ):
        map_labels(labeled("0", "9" * 5000), ["x", "y"])
    assert map_labels(labeled("x", "y", "9" * 5000), ["x", "y"]) == Classes(["x", "y"])
