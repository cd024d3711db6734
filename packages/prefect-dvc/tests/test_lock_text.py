"""The text of dvc.lock, split into entries and joined again, against DVC's own writer."""

from typing import Any

from dvc.utils.serialize import dumps_yaml
from hypothesis import given
from hypothesis import strategies as st

from prefect_dvc import lock_text

NAMES = st.from_regex(r"[a-zA-Z0-9_\-é新']{1,12}(@[a-z0-9.\-]{1,6})?", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=150)
COMMANDS = st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), st.just("python a.py\nb\n\n  c\n"))
OUTS = st.lists(st.fixed_dictionaries({"path": TEXTS, "md5": st.just("a" * 32), "size": st.integers(0)}), max_size=2)
VALUES = st.recursive(
    st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(NAMES, inner, max_size=2)),
    max_leaves=4,
)
PARAMS = st.dictionaries(st.just("params.yaml"), st.dictionaries(NAMES, VALUES, min_size=1, max_size=2))
ENTRIES = st.fixed_dictionaries({"cmd": COMMANDS, "params": PARAMS, "outs": OUTS})
LOCKS = st.dictionaries(NAMES, ENTRIES, min_size=1, max_size=4)
TAILS = st.sampled_from([{}, {"datasets": [{"name": "a", "url": "b"}]}])


def written(stages: dict[str, Any], **more: Any) -> str:
    return dumps_yaml({"schema": "2.0", "stages": stages} | more)


@given(stages=LOCKS, name=NAMES, entry=ENTRIES, tail=TAILS)
def test_a_replaced_entry_gives_the_text_that_dvc_writes(
    stages: dict[str, Any], name: str, entry: dict[str, Any], tail: dict[str, Any]
) -> None:
    parts = lock_text.split(written(stages, **tail))
    if parts:
        block = dumps_yaml({"stages": {name: entry}}).removeprefix("stages:\n")
        assert list(parts.blocks) == list(stages)
        assert str(parts.update({name: block})) == written(stages | {name: entry}, **tail)


@given(stages=LOCKS)
def test_entries_in_another_order_give_the_text_that_dvc_writes(stages: dict[str, Any]) -> None:
    parts = lock_text.split(written(stages))
    if parts:
        names = sorted(stages, reverse=True)
        assert str(parts.sort(names)) == written({name: stages[name] for name in names})


def test_a_usual_lock_is_split_and_another_layout_is_not() -> None:
    names = ["train@cnn", "prepare", "12", "true", "it's"]
    text = written({name: {"cmd": "cp a b", "outs": [{"path": "b", "md5": "a" * 32}]} for name in names})
    parts = lock_text.split(text)
    assert parts and list(parts.blocks) == names
    for layout in (
        "",
        "stages: {}\n",
        text[:-1],
        text.replace("    cmd", "   cmd"),
        text + "  - more\n",
        text + "  prepare:\n    cmd: a\n",
    ):
        assert lock_text.split(layout) is None, layout
