#!/usr/bin/env bash
# A first run and `gazette reproduce` of it, on another corpus, in a disposable clone.
# usage: benchmarks/reproducing.sh ag_news /path/to/ag_news "[linear, cnn]"
set -euo pipefail
corpus=${1:?a name of data/corpora} raw=${2:?its raw files} candidates=${3:-[linear, cnn]}
box=$(mktemp -d)
export TIMEFORMAT="%R s" MLFLOW_TRACKING_URI="sqlite:///$box/mlflow.db" PYTHONPATH="$box/clone/src:$box/clone"
git clone -q . "$box/clone" && cd "$box/clone"
sed -i "s/^corpus: .*/corpus: $corpus/; s/^candidates: .*/candidates: $candidates/" params.yaml
cp -r "$raw" "data/raw/$corpus" && dvc add -q "data/raw/$corpus"
git rm -rq --cached reports dvc.lock && rm -rf reports dvc.lock
echo "load $(cut -d' ' -f1-3 /proc/loadavg); the first run"
time dvc repro -q
git add -A && git -c user.name=b -c user.email=b@example.org commit -qm ran
echo "load $(cut -d' ' -f1-3 /proc/loadavg); once more"
time gazette reproduce --to "$box/statement.json" 2> "$box/progress" || tail -5 "$box/progress"
rm -rf "$box"
