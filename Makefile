# One command each: `make run` opens the product, `make test` proves it. Both set up all they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are usually cores: browsers, servers and databases are waited for half of the time.
TOGETHER := --numprocesses 3 --dist loadscope --durations 25 --override-ini tmp_path_retention_policy=failed
TYPESCRIPT := 5.9.3
TSC := $(VENV)/typescript-$(TYPESCRIPT)/node_modules/typescript/bin/tsc
# Tests sync thousands of small files: where memory has 4 GB of room for them, no disk is waited for.
ROOM := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4194304 { print "/dev/shm" }')
ifneq ($(ROOM),)
test test-full check check-far: export TMPDIR := $(ROOM)
endif
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1

.PHONY: setup setup-dev run test test-full check static check-far bench fmt reference constraints

setup: $(VENV)/.base

setup-dev: $(VENV)/.dev $(VENV)/.system

$(VENV)/bin/uv:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable .
	touch $@

# Compiled at once: several processes start together, and each would compile the same libraries.
$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.base

# What Palate is compared with; the optimizers that need torch are an extra of their own: PEERS=peers.
PEERS := peers-light
$(VENV)/.peers $(VENV)/.peers-light $(VENV)/.peers-scores $(VENV)/.peers-tables: pyproject.toml constraints.txt | $(VENV)/.dev
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[dev,$(@F:.%=%)]'
	touch $@

# Tests start a private Postgres and drive a real browser, and node checks the page scripts; Debian's are installed here.
$(VENV)/.system: infra/system-packages.sh | $(VENV)/bin/uv
	sh infra/system-packages.sh
	touch $@

run: setup
	$(BIN)/python -m web serve

test: setup-dev
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

# All of the tests but the far ones, all on both engines, with a hundred rounds of killing and a thousand promotions on each engine: an hour and more.
test-full: setup-dev
	PALATE_FULL=1 PALATE_KILLS=100 $(BIN)/python -m pytest $(TOGETHER) $(ARGS)

# All that needs no foreign server and no install above 50 MB. What is read is read beside what is run, and told last.
check: setup-dev $(TSC)
	@$(MAKE) --no-print-directory static >$(VENV)/static.log 2>&1 & reading=$$!; \
	$(MAKE) --no-print-directory test; run=$$?; \
	wait $$reading; read=$$?; cat $(VENV)/static.log; exit $$((run | read))

static: setup-dev $(TSC)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	node $(TSC) --project infra/pages.tsconfig.json
	node $(TSC) --project infra/worker.tsconfig.json

$(TSC): | $(VENV)/.system
	npm install --silent --no-fund --no-audit --prefix $(VENV)/typescript-$(TYPESCRIPT) typescript@$(TYPESCRIPT)

# What `check` leaves out: one after the other, as each takes what it can get of the machine.
check-far: setup-dev $(VENV)/.peers-light $(VENV)/.peers-scores $(VENV)/.peers-tables
	$(BIN)/python -m pytest -m far --durations 25

fmt: setup-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup-dev $(if $(filter optimizers suggest_latency,$(NAME)),$(VENV)/.$(PEERS))
bench: $(if $(filter opinion_scores real_raters,$(NAME)),$(VENV)/.peers-scores)
	$(BIN)/python -m benchmarks.$(NAME) $(ARGS)

reference: setup
	$(BIN)/python -m web reference > docs/reference.md
	$(BIN)/python -m ml_service schema > docs/ml-service-schema.json

constraints: $(VENV)/bin/uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
		--extra cloud --extra dev --extra peers-light --extra peers-scores --extra peers-tables pyproject.toml --output-file constraints.txt
