# Every target sets up .venv first when it is missing or older than its lock file.
# Nothing needs root; Python 3.11 or newer and the package registry are enough.
# PYTHON=/path/to/python make ... chooses the interpreter that .venv is made from.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
BIN := .venv/bin
# Jupyter refuses root unless told; in a container there is often nobody else.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
COURSE := .venv/.course-is-set-up
TOOLS := .venv/.tools-are-set-up
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.PHONY: help setup lab formgrader demo site test gates attacks mutants lint build bench stress lock clean

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | column -t -s '|'

setup: $(COURSE)  ## Install what a student or an instructor needs into .venv

lab: $(COURSE)  ## Open JupyterLab on the course
	$(BIN)/jupyter lab $(AS_ROOT)

formgrader: $(COURSE)  ## Open JupyterLab as an instructor, with all of nbgrader
	COURSE_ROLE=instructor $(BIN)/jupyter lab $(AS_ROOT)

demo: $(COURSE)  ## Grade a small class in a throw-away folder, end to end
	$(BIN)/autograder demo

site: $(TOOLS)  ## Run every lesson and build the web site, website/_build/html/index.html
	$(BIN)/python -m website

test: $(TOOLS)  ## Run the whole test suite
	$(BIN)/pytest -n auto

gates: $(TOOLS)  ## Run every lesson, grade every submission of every lab's corpus, and note it down
	GATES=everything $(BIN)/pytest -n 3 tests/course/test_run_all.py tests/gates -k "lesson or gates"

attacks: $(TOOLS)  ## Run only the attack suite
	$(BIN)/pytest tests/attacks

MODULE ?= autograder/grading/entries.py
SAMPLE ?= 20
mutants: $(TOOLS)  ## Plant faults in MODULE and name those that no test notices
	$(BIN)/python tools/mutants.py $(MODULE) --sample $(SAMPLE) --tests "$(TESTS)"

lint: $(TOOLS)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

build: $(COURSE)  ## Make notebooks/, solutions/ and labs/ from content/
	$(BIN)/autograder build

bench: $(TOOLS)  ## Measure side by side against peers
	$(BIN)/python benchmarks/check_cell.py
	$(BIN)/python benchmarks/gates.py
	$(BIN)/python benchmarks/grading.py

stress: $(TOOLS)  ## Kill the grader, load the machine, feed it hostile output (20 minutes)
	$(BIN)/python benchmarks/restarts.py
	$(BIN)/python benchmarks/steadiness.py
	$(BIN)/python benchmarks/hostile_records.py
	$(BIN)/python benchmarks/grading.py --size 0 --growth 10,100,1000

lock: $(TOOLS)  ## Resolve the newest versions that work together
	$(BIN)/python tools/lock.py

clean:  ## Remove the environment
	rm -rf .venv

$(COURSE): requirements.lock pyproject.toml setup.py $(shell find autograder/jupyterlab -type f -not -name "*.pyc")
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer was not found: install it, or run PYTHON=/path/to/python3 make"; exit 1; }
	@echo "Setting up .venv (a minute or two the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --no-compile --require-hashes -r requirements.lock  # 200 MB less
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(TOOLS): requirements-dev.lock $(COURSE)
	@echo "Adding the contributors' tools to .venv ..."
	@$(PIP) install --no-compile --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m compileall -q -j 0 $(CURDIR)/.venv/lib  # tests start hundreds of interpreters
	@touch $@
