"""Configuration of TensorFlow's runtime."""

import subprocess
import sys

import pytest

CONFIGURE = "import sys; from gazette.training.networks.runtime import configure_tensorflow as f; f(1, 2, True)"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", f"{CONFIGURE}; {code}"], capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


@pytest.mark.slow
def test_it_is_silent_and_can_run_twice() -> None:
    assert run("f(1, 2, True)") == ""


@pytest.mark.slow
def test_what_keras_only_draws_with_is_not_imported_and_can_be_imported_later() -> None:
    assert run("print('matplotlib' in sys.modules, 'pandas' in sys.modules); import pandas") == "False False\n"
