"""Configuration of TensorFlow's runtime."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_it_is_silent_and_can_run_twice() -> None:
    code = "from gazette.training.networks.runtime import configure_tensorflow as f; f(1, 2, True); f(1, 2, True)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
