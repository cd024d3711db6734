"""Kernels of BLAS that are forced are tried first, and given up with a word if they do not work."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import kernels

Answer = Callable[[dict[str, str | None]], list[str]]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Makes each kernel fail for a reason, and Haswell the forced one; returns the kernels that are tried."""

    def set_answers(answers: dict[str, str | None]) -> list[str]:
        tried: list[str] = []
        monkeypatch.setattr(os, "environ", {**os.environ, kernels.KERNEL: "Haswell"})
        monkeypatch.setattr(kernels, "try_kernel", lambda kernel: tried.append(kernel) or answers[kernel])
        return tried

    return set_answers


def test_every_product_of_the_kernels_in_use_is_that_of_plain_sums() -> None:
    assert kernels.try_kernel(os.environ.get(kernels.KERNEL, "")) == ""


@pytest.mark.parametrize(
    ("ending", "failure"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV in 2 × 3"),
        ("os.kill(os.getpid(), signal.SIGILL)", "SIGILL in 2 × 3"),
        ("sys.exit(9)", "a wrong sum in 2 × 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", None),  # for lack of memory
        ("raise MemoryError", None),
        ("sys.exit(0)", ""),
    ],
)
def test_a_crash_and_a_wrong_sum_name_the_product(tmp_path: Path, ending: str, failure: str | None) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"import os, signal, sys\nprint('1 × 1')\nprint('2 × 3', flush=True)\n{ending}\n")
    assert kernels.try_kernel("Haswell", program) == failure


def test_kernels_that_work_stay_and_are_tried_once(tmp_path: Path, answer: Answer) -> None:
    tried = answer({"Haswell": ""})
    assert [kernels.choose_kernels(tmp_path) for _ in range(2)] == ["", ""]
    assert (tried, os.environ[kernels.KERNEL]) == (["Haswell"], "Haswell")


def test_kernels_that_crash_are_given_up_with_a_word(tmp_path: Path, answer: Answer) -> None:
    tried = answer({"Haswell": "SIGSEGV in 2 × 3", "": ""})
    warning = kernels.choose_kernels(tmp_path)
    assert "Haswell" in warning
    assert "SIGSEGV in 2 × 3" in warning
    assert kernels.KERNEL not in os.environ
    answer({})
    assert kernels.choose_kernels(tmp_path) == warning  # remembered
    assert tried == ["Haswell", ""]


def test_a_machine_on_which_no_kernel_works_is_refused(tmp_path: Path, answer: Answer) -> None:
    answer({"Haswell": "SIGSEGV in 2 × 3", "": "a wrong sum in 2 × 3"})
    with pytest.raises(ConfigError, match="cannot multiply matrices on this machine: a wrong sum in 2 × 3"):
        kernels.choose_kernels(tmp_path)


def test_a_trial_that_tells_nothing_is_not_remembered(tmp_path: Path, answer: Answer) -> None:
    tried = answer({"Haswell": None})
    assert [kernels.choose_kernels(tmp_path) for _ in range(2)] == ["", ""]
    assert tried == ["Haswell", "Haswell"]


def test_another_numpy_is_tried_anew(tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = answer({"Haswell": ""})
    kernels.choose_kernels(tmp_path)
    monkeypatch.setattr(kernels, "version", lambda package: "999")
    kernels.choose_kernels(tmp_path)
    assert tried == ["Haswell", "Haswell"]


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_damaged_answers_are_tried_again(tmp_path: Path, answer: Answer, text: str) -> None:
    answer({"Haswell": ""})
    path = tmp_path / ".gazette" / kernels.ANSWERS
    path.parent.mkdir()
    path.write_text(text)
    assert kernels.choose_kernels(tmp_path) == ""
    assert list(json.loads(path.read_text()).values()) == [""]
