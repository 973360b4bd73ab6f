# `make demo` and `make test` are the two that matter; both set up what is missing in .venv and
# install nothing a second time. Needs make, Python 3.11 or newer and a C++ compiler.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test bench lint clean

PYTHON   ?=
PYTHONS  := $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3)
DEMO_OUT ?= radiogenomics-demo
VENV     := .venv
BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip --disable-pip-version-check -qq
PINNED   := install -c constraints.txt
HOMES    := radiogenomics/imaging/radiomics radiogenomics/stats/association
KERNELS  := $(wildcard $(foreach home,$(HOMES),$(addprefix $(home)/kernels/*.,cpp hpp)))
STEP     := @printf '%s\n'

export PYTHONNOUSERSITE := 1
unexport PYTHONHOME PYTHONPATH

help: ## say what can be made (the default)
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.base ## run the main study on a simulated cohort, ending in a report
	$(STEP) '· demo: simulated cohort to report'
	@$(BIN)/radiogenomics demo --out $(DEMO_OUT)

# One thread a process: two workers on two cores must not start four threads each.
test lint: export OMP_NUM_THREADS := 1
test lint: export OPENBLAS_NUM_THREADS := 1
test lint: export MKL_NUM_THREADS := 1
test lint: export NUMEXPR_NUM_THREADS := 1
test lint: export ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS := 1
test lint: export MPLBACKEND := Agg

test: lint $(VENV)/.pyradiomics ## every check: lint, types, import contracts, tests, notebooks
	$(STEP) '· tests'
	@$(BIN)/python -m pytest -q -n 2 --dist worksteal
	$(STEP) '· notebooks'
	@$(BIN)/python -m pytest -q -n 2 --nbmake --nbmake-timeout=600 notebooks

lint: $(VENV)/.test ## the quick half of test: style, types of core and study, import contracts
	$(STEP) '· ruff'
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check . || { echo 'run: $(BIN)/ruff format .'; exit 1; }
	$(STEP) '· mypy'
	@$(BIN)/mypy --no-error-summary
	$(STEP) '· import contracts'
	@log=$$($(BIN)/lint-imports --no-cache 2>&1) || { printf '%s\n' "$$log"; exit 1; }

bench: $(VENV)/.test $(VENV)/.pyradiomics ## time ourselves beside the peers into benchmarks/results.json
	$(STEP) '· benchmarks'
	@$(BIN)/python benchmarks/run.py --out benchmarks/results.json

clean: ## remove everything the other targets made, .venv too
	@rm -rf $(VENV) radiogenomics-demo build dist *.egg-info .coverage htmlcov benchmarks/results.json
	@rm -f $(addsuffix /_kernels.*,$(HOMES))
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@chosen=; bare=; \
	for python in $(PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  if $$python -c 'import ensurepip, venv' 2>/dev/null; then chosen=$$python; break; fi; \
	  bare="$$bare $$python"; \
	done; \
	if [ -n "$$chosen" ]; then \
	  echo "· creating $(VENV) with $$chosen ($$($$chosen -c 'import platform; print(platform.python_version())'))"; \
	  $$chosen -m venv --clear $(VENV) && touch $@; \
	elif [ -n "$$bare" ]; then \
	  echo "A virtual environment is needed, but$$bare cannot make one: the module ensurepip is missing."; \
	  echo "Install it (Debian, Ubuntu: apt install python3-venv) or name another Python: make PYTHON=..."; \
	  exit 1; \
	else \
	  echo "Python 3.11 or newer is needed; tried and found none: $(PYTHONS)."; \
	  echo "Install one or name it: make PYTHON=..."; \
	  exit 1; \
	fi

$(VENV)/.base: $(VENV)/.created pyproject.toml setup.py constraints.txt $(KERNELS)
	$(STEP) '· compiling radiogenomics and installing its pinned dependencies (minutes, once)'
	@$(PIP) $(PINNED) setuptools pybind11
	@$(PIP) $(PINNED) --no-build-isolation -e '.[imaging]'
	@touch $@

$(VENV)/.test: $(VENV)/.base
	$(STEP) '· installing what the tests need'
	@$(PIP) $(PINNED) 'radiogenomics[imaging,omics,deep,test]' # by name: it is there, and not compiled again
	@touch $@

# The reference radiomics engine has no wheel for any Python in use; without it the rest still works.
$(VENV)/.pyradiomics: $(VENV)/.base tools/pyradiomics_build/sitecustomize.py
	$(STEP) '· building pyradiomics 3.0.1'
	@if PYTHONPATH='$(CURDIR)/tools/pyradiomics_build' \
	  $(BIN)/python -m pip --disable-pip-version-check $(PINNED) --no-build-isolation pyradiomics==3.0.1 \
	  > $(VENV)/pyradiomics.log 2>&1; then touch $@; else \
	  echo '  note: pyradiomics could not be built; going on without it. Is a C compiler there, and the'; \
	  echo '  Python headers (Debian, Ubuntu: apt install g++ python3-dev)? Log: $(VENV)/pyradiomics.log'; \
	fi
