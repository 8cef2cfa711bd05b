# make run     installs once, then serves the app on this machine
# make test    everything that a change has to pass
# make setup | lint | bench | clean

PYTHON ?= python3
# anything else pip should be told, such as
#   make setup PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=

BIN := .venv/bin
STAMP := .venv/installed

# Small models lose most of their speed when idle OpenMP threads spin on shared cores.
export OMP_WAIT_POLICY = PASSIVE
export GOMP_SPINCOUNT = 0
export TOKENIZERS_PARALLELISM = false
export HF_HUB_DISABLE_TELEMETRY = 1
export STREAMLIT_BROWSER_GATHER_USAGE_STATS = false

.PHONY: setup run test lint bench clean

setup: $(STAMP)

# torch first and alone, so that nothing else can choose its version
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "The workbench needs Python 3.11 or newer; name one with: make setup PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev,postgres,tuning,gguf,quantization]'
	@touch $(STAMP)

run: setup
	$(BIN)/workbench app

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy

test: export OMP_NUM_THREADS = 1
# one more process than there are cores, as browser tests mostly wait; in the order of the folders, as files of
# few and long tests would come last otherwise
test: WORKERS = $(shell $(BIN)/python -c "import os; print(min(4, (os.cpu_count() or 1) + 1))")
test: lint
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

bench: setup
	$(BIN)/python -m bench

clean:
	rm -rf .venv .workbench .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
