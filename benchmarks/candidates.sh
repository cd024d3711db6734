#!/usr/bin/env bash
# Four equal single-threaded candidates through the flow, with one worker and with two; in a disposable clone.
set -euo pipefail
cd "${1:?a clone with its corpus fetched}"
python - <<'PYTHON'
from copy import deepcopy
from ruamel.yaml import YAML
yaml = YAML()
numbers = yaml.load(open("params.yaml"))
numbers["candidates"] = [f"cnn{n}" for n in range(4)]
numbers["models"] = {name: deepcopy(numbers["models"]["cnn"]) for name in numbers["candidates"]}
numbers["train"]["threads"] = 1
yaml.dump(numbers, open("params.yaml", "w"))
PYTHON
python -m flows.pipeline --target preprocess > /dev/null 2>&1
for workers in 1 2; do
  echo "$workers workers, load $(cut -d' ' -f1-3 /proc/loadavg)"
  time python -m flows.pipeline --workers $workers --force $(printf -- '--target train@cnn%s ' 0 1 2 3) > /dev/null 2>&1
done
