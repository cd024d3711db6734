#!/usr/bin/env bash
# Twelve stages of a second each, four wide: serial `dvc repro`, the flow and paraffin 0.3.7, two workers each. Prints
# wall-clock and CPU seconds, and whether dvc.lock is the serial one. PREFECT_API_URL is the address of a running server,
# PARAFFIN a folder with paraffin's commands (with sqlmodel 0.0.22 and sqlalchemy before 2.1; it fails on newer ones).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
box=$(mktemp -d)
export PATH="$here/.venv/bin:$PATH" TIMEFORMAT="%R s, %U s of processor"
project() {
  mkdir -p "$box/$1" && cd "$box/$1" && echo raw > raw.txt
  python - <<'PYTHON' > dvc.yaml
import json
def stage(name, *deps):
    return {name: {"cmd": f"sleep 1 && cat {' '.join(deps)} > {name}.txt && echo {name} >> {name}.txt", "deps": deps, "outs": [f"{name}.txt"]}}
stages = stage("start", "raw.txt")
for letter in "abcd":
    stages |= stage(f"one_{letter}", "start.txt")
for letter in "abcd":
    stages |= stage(f"two_{letter}", f"one_{letter}.txt")
stages |= stage("left", "two_a.txt", "two_b.txt") | stage("right", "two_c.txt", "two_d.txt") | stage("end", "left.txt", "right.txt")
print(json.dumps({"stages": stages}))
PYTHON
  printf '*.txt\n!raw.txt\n' > .gitignore
  git init -q && dvc init -q && dvc config core.analytics false && dvc config core.check_update false
  git add -A && git -c user.name=b -c user.email=b@example.org commit -qm start
}
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
project serial; echo serial; time dvc repro -q > log
project flow; echo flow; time PYTHONPATH="$here" python -m flows.pipeline --workers 2 > log 2>&1
if [ -n "${PARAFFIN:-}" ]; then
  project paraffin; echo paraffin; began=$(date +%s.%N)
  time (export PATH="$PARAFFIN:$PATH"; paraffin submit > submit.log 2>&1
    paraffin worker -t 15 > one.log 2>&1 & PATH="$PARAFFIN:$PATH" paraffin worker -t 15 > two.log 2>&1 & wait)
  echo "of which until the last stage ended: $(echo "$(stat -c %.9Y end.txt) - $began" | bc) s"
fi
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
for run in flow ${PARAFFIN:+paraffin}; do
  cmp -s "$box/serial/dvc.lock" "$box/$run/dvc.lock" && echo "$run: lock equal to serial" || echo "$run: lock differs"
done
