"""Settings before a command begins that make its bytes depend as little as possible on the machine."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """\
import sys, click
from gazette.__main__ import main

@click.command()
def command():
    assert "numpy" not in sys.modules
    import numpy, threadpoolctl
    from numpy._core._multiarray_umath import __cpu_features__
    print({pool["architecture"] for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "openblas"})
    print(*(name for name in ("X86_V4", "AVX512_ICL", "AVX512_SPR") if __cpu_features__.get(name)))

main(command)
"""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="other processors have other kernels")
@pytest.mark.parametrize("core_type", ["", "SkylakeX"])
def test_numpy_multiplies_by_the_same_kernels_on_every_processor(core_type: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    environment |= {"OPENBLAS_CORETYPE": core_type} if core_type else {}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "{'Haswell'}\n\n", done.stderr
