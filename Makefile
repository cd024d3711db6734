# `make` lists the targets. Everything happens in .venv, made from requirements.lock.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DO_NOT_TRACK := true
export MLFLOW_DISABLE_TELEMETRY := true
# What would install elsewhere or otherwise than the lock says, and what Python reads before our code does.
export PIP_USER := 0
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PIP_NO_DEPS PIP_DRY_RUN PIP_CONSTRAINT PIP_NO_BINARY PIP_REQUIRE_VIRTUALENV
unexport UV_TARGET UV_PREFIX UV_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_EXCLUDE_NEWER UV_NO_BINARY UV_NO_BINARY_PACKAGE
unexport PYTHONHOME PYTHONOPTIMIZE PYTHONWARNINGS PYTHONINSPECT PYTHONSAFEPATH PYTHONSTARTUP LD_PRELOAD
# Each process would compile TensorFlow again: 11 s instead of 4.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install run bert flow schedule serve test servers versions faults check style types layers names bench docs ui
.PHONY: lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: .venv/installed ## make .venv from requirements.lock, hashes checked

.venv/installed: requirements.lock pyproject.toml packages/prefect-dvc/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Gazette needs Python 3.11, 3.12 or 3.13: make PYTHON=python3.12")'
	@if [ -n "$$(ls -A .venv 2>/dev/null)" ] && [ ! -e .venv/.gazette ] && [ ! -e .venv/installed ]; then \
	  echo ".venv was not made by make install, so it is not replaced; move it elsewhere" >&2; exit 2; fi
	@mkdir -p .venv && touch .venv/.gazette && find .venv/ -mindepth 1 ! -path .venv/.gazette -delete
	$(PYTHON) -m venv .venv
	awk '/^uv==/,/# via/' requirements.lock > .venv/uv.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --require-hashes --no-deps --requirement requirements.lock
	.venv/bin/uv pip install --python .venv/bin/python --quiet --no-deps --no-build-isolation --editable packages/prefect-dvc --editable .
	@touch $@

run: install ## fetch the corpus of params.yaml and bring every stage up to date
	@gazette corpus fetch
	@gazette run

bert: install ## fetch the encoder that candidates under `further` begin with
	@gazette pretrained fetch

flow: install ## the same through Prefect, WORKERS=2 at once, all again with FORCE=1
	@gazette corpus fetch
	@python -m flows.pipeline --workers $(or $(WORKERS),2) $(if $(FORCE),--force)
	@gazette report

serve: install ## answer over HTTP by the selected bundle, with a page to try it, until Ctrl-C; PORT=8080
	@gazette serve --port $(or $(PORT),8080)

schedule: install ## Prefect's server with its page, the deployments and a worker, until Ctrl-C; PORT=4200
	@python -m flows.schedule --port $(or $(PORT),4200)

test: install ## the tests, three files at a time, since some wait; WORKERS=4
	pytest --numprocesses $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder

servers: install ## the tests on PostgreSQL and an S3 server, which they start; three minutes on two cores
	pytest --numprocesses 2 --dist loadfile -m "servers and not faults" tests/production

versions: install ## the tests of prefect-dvc with the oldest and the newest DVC that it allows; DVC=oldest
	packages/prefect-dvc/tests/versions.sh $(DVC)

faults: install ## kill runs two hundred times, and at every named point; half an hour
	python tests/faults/kills.py
	pytest --quiet -m faults tests/faults tests/registry/test_registry_faults.py tests/production

check: style types layers names ## style, types, architecture, names

style: install
	ruff check
	ruff format --check

types: install
	mypy

layers: install
	lint-imports --no-logo

names: install
	pytest --quiet tests/test_architecture.py tests/test_names.py

bench: install ## our models against fastText, scikit-learn and plain Keras, on the corpora in data/raw; hours
	.venv/bin/uv pip install --python .venv/bin/python --quiet --require-hashes --no-deps --requirement benchmarks/requirements.txt
	python benchmarks/bench.py

docs: install ## the documentation as a site in site/; a link that leads nowhere fails
	@for folder in site .cache; do if [ -n "$$(ls -A $$folder 2>/dev/null)" ] && [ ! -e $$folder/.gazette ]; then \
	  echo "$$folder was not made by make docs, so it is not replaced; move it elsewhere" >&2; exit 2; fi; done
	@mkdir -p site .cache && touch site/.gazette .cache/.gazette
	zensical build --strict --clean
	@mkdir -p .cache && touch site/.gazette .cache/.gazette

ui: install ## MLflow's page on this registry
	mlflow ui --backend-store-uri $${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}

lock: install ## resolve the dependencies anew, and name those of each stage in environment.yaml
	uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-package prefect-dvc --python-version 3.11 --extra pipeline --extra servers --group dev pyproject.toml --output-file requirements.lock
	$(MAKE) install
	python -m gazette.pipeline.environment

clean: ## remove what was made here; corpora, the registry and DVC's cache stay
	@if [ -x .venv/bin/gazette ]; then .venv/bin/gazette clean; else echo "no .venv: outputs of stages stay"; fi
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@for folder in site .cache; do if [ -e $$folder/.gazette ]; then rm -rf $$folder; fi; done
	@if [ -e .venv/.gazette ] || [ -e .venv/installed ]; then rm -rf .venv; fi
