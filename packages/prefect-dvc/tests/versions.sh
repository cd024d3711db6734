#!/usr/bin/env bash
# The tests of what prefect-dvc asks of DVC, with the oldest and the newest DVC that pyproject.toml allows, or with those
# named: versions.sh oldest 3.67.1. Each has an environment of its own in a temporary folder; PYTHON=python3.13 takes
# another Python. It needs uv and a package index.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
oldest=$(sed -n 's/.*"dvc>=\([0-9.]*\),.*/\1/p' "$here/pyproject.toml")
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
for dvc in ${*:-oldest newest}; do
  case $dvc in
    oldest) constraint="dvc==$oldest" ;;
    newest) constraint="dvc<4" ;;
    *) constraint="dvc==$dvc" ;;
  esac
  uv venv --quiet --clear --python "${PYTHON:-$(command -v python)}" "$box/venv"
  uv pip install --quiet --python "$box/venv/bin/python" "$constraint" "$here[flow,dask]" pytest pytest-xdist hypothesis
  "$box/venv/bin/python" -c 'import dvc, platform; print(f"DVC {dvc.__version__}, Python {platform.python_version()}")'
  (cd "$here" && "$box/venv/bin/python" -m pytest --quiet -p no:cacheprovider --numprocesses 2 --dist loadfile \
    tests/test_{dvc_internals,graph,lock_text,lock_order,remote,repair,publishing,flow}.py)
done
