"""What would run, why and in which waves, from nodes made by hand."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prefect_dvc.cli import plan_table
from prefect_dvc.core.errors import ConfigError, parse
from prefect_dvc.plan import Change, Hints, Node, plan

EDITED = (Change("param", "train.seed", "modified", 7, 8),)


def chain(*changed: str, **more: bool) -> list[Node]:
    """Stages a, b, c in a row."""
    nodes = [("a", ()), ("b", ("a",)), ("c", ("b",))]
    return [Node(name, upstream, EDITED if name in changed else (), **more) for name, upstream in nodes]


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    nodes: list[Node] = []
    for number in range(draw(st.integers(1, 8))):
        upstream = draw(st.sets(st.sampled_from([node.name for node in nodes]))) if nodes else set()
        nodes.append(Node(str(number), tuple(sorted(upstream)), EDITED if draw(st.booleans()) else ()))
    return nodes


def test_without_changes_nothing_would_run() -> None:
    assert [step.wave for step in plan(chain(), {})] == [None, None, None]


def test_a_changed_stage_would_run_and_all_downstream_after_it() -> None:
    steps = plan(chain("b"), {"b": 2.5})
    assert [(step.wave, step.why) for step in steps] == [
        (None, ()),
        (1, ("param train.seed: 7 → 8",)),
        (2, ("upstream b",)),
    ]
    assert [step.seconds for step in steps] == [None, 2.5, None]


def test_a_stage_downstream_is_not_stale_itself_as_what_it_reads_may_come_out_equal() -> None:
    assert [step.stale for step in plan(chain("a"), {})] == [True, False, False]


def test_with_force_all_would_run() -> None:
    steps = plan(chain(), {}, force=True)
    assert [step.wave for step in steps] == [1, 2, 3] and all(step.stale for step in steps)


def test_only_a_stage_with_an_unchanged_upstream_is_restorable() -> None:
    nodes = chain("a", "b", restorable=True)
    assert [step.restorable for step in plan(nodes, {})] == [True, False, False]


@given(graphs())
def test_a_stage_is_in_a_later_wave_than_all_it_waits_for(nodes: list[Node]) -> None:
    steps = {step.stage: step for step in plan(nodes, {})}
    for step in steps.values():
        waves = [steps[name].wave for name in step.upstream if steps[name].wave is not None]
        assert (step.wave is None) == (not step.stale and not waves)
        assert step.wave is None or step.wave == max((wave or 0 for wave in waves), default=0) + 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("dep", "raw", "modified", "0123456789ab", "fedcba9876"), "dep raw: 01234567 → fedcba98"),
        (Change("out", "model", "deleted", "0123"), "out model is deleted"),
        (Change("stage", "train", "new"), "stage train is new"),
        (Change("dep", "news", "always changed"), "dep news always changes"),
        (Change("param", "k", "modified", [1], [1, 2]), "param k: [1] → [1, 2]"),
    ],
)
def test_a_change_shows_before_and_after(change: Change, text: str) -> None:
    assert str(change) == text


def test_hints_that_are_misspelled_are_refused_with_the_stage_that_has_them() -> None:
    with pytest.raises(ConfigError, match="meta of train: retrys"):
        parse(Hints, {"retrys": 2}, "meta of train")


@pytest.mark.parametrize(
    ("hint", "least", "beyond"), [("retries", 0, -1), ("retry_delay", 0, -0.1), ("timeout", 0.1, 0)]
)
def test_a_hint_is_taken_from_its_bound_and_refused_by_name_beyond(hint: str, least: float, beyond: float) -> None:
    assert getattr(parse(Hints, {hint: least}, "meta of train"), hint) == least
    with pytest.raises(ConfigError, match=f"meta of train: {hint}"):
        parse(Hints, {hint: beyond}, "meta of train")


def test_without_hints_a_stage_is_tried_once_and_has_all_the_time_it_takes() -> None:
    hints = plan(chain(), {})[0].hints
    assert hints.model_dump() == {"retries": 0, "retry_delay": 0, "timeout": None, "mutex": None}


def test_with_force_nothing_is_restored_and_the_reason_is_given_first() -> None:
    steps = plan(chain("b", restorable=True), {}, force=True)
    assert [step.restorable for step in steps] == [False] * 3
    assert [step.why[0] for step in steps] == ["forced"] * 3 and steps[1].why[1:] == (
        "param train.seed: 7 → 8",
        "upstream a",
    )
    assert [step.restorable for step in plan(chain(), {})] == [False] * 3


def test_a_plan_is_a_table_for_a_person_and_json_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = chain("b")
    steps = plan(nodes, {"b": 2.5})
    plan_table.show_plan(steps)
    text = capsys.readouterr().out
    assert "train.seed: 7 → 8" in text and "2.5 s" in text and text.endswith("unchanged: a\n")
    middle = json.loads(json.dumps(plan_table.plan_record(nodes, steps)))["stages"][1]
    assert (middle["state"], middle["wave"], middle["seconds"]) == ("would run", 1, 2.5)
    assert middle["changes"] == [{"kind": "param", "name": "train.seed", "state": "modified", "before": 7, "after": 8}]


def test_a_name_longer_than_the_terminal_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a" * 150
    plan_table.show_plan(plan([Node(name, (), (Change("dep", name, "new"),))], {}))
    assert capsys.readouterr().out.count("a") >= 2 * len(name)


def test_a_plan_is_printed_where_the_terminal_has_no_width(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    plan_table.show_plan(plan(chain("b"), {}))
    assert capsys.readouterr().out.endswith("unchanged: a\n")
