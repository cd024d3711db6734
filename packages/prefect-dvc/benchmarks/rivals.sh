#!/usr/bin/env bash
# rivals.sh twelve: twelve stages of a second each, four wide; rivals.sh hundred: a hundred that do nothing, ten wide.
# Serial `dvc repro`, prefect-dvc, paraffin 0.3.7 and dask4dvc 0.2.3, two workers each: wall-clock and CPU seconds, and
# whether dvc.lock is the serial one. PREFECT_API_URL is the address of a running server. PARAFFIN and DASK4DVC are folders
# with their commands; without one it is left out. They need older packages: paraffin sqlmodel 0.0.22 and sqlalchemy before
# 2.1, dask4dvc click before 8.2 and typer before 0.13.
set -euo pipefail
shape=$1
here=$(cd "$(dirname "$0")/../../.." && pwd)
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
export PATH="$here/.venv/bin:$PATH" TIMEFORMAT="%R s, %U s of processor" LIMIT=300
project() {
  mkdir -p "$box/$1" && cd "$box/$1" && echo raw > raw.txt
  python - "$shape" <<'PYTHON' > dvc.yaml
import json, sys
wait = "sleep 1 && " if sys.argv[1] == "twelve" else ""
def stage(name, *deps):
    cmd = f"{wait}cat {' '.join(deps)} > {name}.txt && echo {name} >> {name}.txt"
    return {name: {"cmd": cmd, "deps": deps, "outs": [f"{name}.txt"]}}
if wait:
    stages = stage("start", "raw.txt")
    for letter in "abcd":
        stages |= stage(f"one_{letter}", "start.txt") | stage(f"two_{letter}", f"one_{letter}.txt")
    stages |= stage("left", "two_a.txt", "two_b.txt") | stage("right", "two_c.txt", "two_d.txt")
    stages |= stage("end", "left.txt", "right.txt")
else:
    stages = {}
    for number in range(100):
        stages |= stage(f"s{number:02d}", f"s{number - 10:02d}.txt" if number >= 10 else "raw.txt")
print(json.dumps({"stages": stages}))
PYTHON
  printf '*.txt\n!raw.txt\n' > .gitignore
  git init -q && dvc init -q && dvc config core.analytics false && dvc config core.check_update false
  git add -A && git -c user.name=b -c user.email=b@example.org commit -qm start
}
check() {
  echo "  ends with $?; dvc.lock $(cmp -s "$box/serial/dvc.lock" dvc.lock && echo equal || echo differs), $(ls ./*.txt | wc -l) files"
}
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
project serial; echo "dvc repro"; time dvc repro -q > log; check
project bridge; echo "prefect-dvc"; time prefect-dvc run --workers 2 > log 2>&1; check
if [ -n "${PARAFFIN:-}" ]; then
  project paraffin; echo paraffin; began=$(date +%s.%N); last=$([ "$shape" = twelve ] && echo end || echo s99).txt
  time (export PATH="$PARAFFIN:$PATH"; paraffin submit > submit.log 2>&1
    timeout "$LIMIT" paraffin worker -t 15 > one.log 2>&1 & PATH="$PARAFFIN:$PATH" timeout "$LIMIT" paraffin worker -t 15 > two.log 2>&1 & wait)
  check; [ -e "$last" ] && echo "  until the last stage ended: $(echo "$(stat -c %.9Y "$last") - $began" | bc) s"
fi
if [ -n "${DASK4DVC:-}" ]; then
  project dask4dvc; echo dask4dvc
  time (PATH="$DASK4DVC:$PATH" timeout "$LIMIT" dask4dvc repro --max-workers 2 --no-leave > log 2>&1 || tail -3 log); check
fi
echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
