# Everything a developer needs. Only python3.11, make and git are expected on the machine.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8000

.PHONY: run test nightly lint lock clean

run: $(VENV)/.run
	PORT=$(PORT) exec $(BIN)/python manage.py up --with-parent

test: $(VENV)/.dev
	$(BIN)/python -m pytest $(ARGS)

# The long comparison of the stop-rule machine with its scalar model (20,000 series and more) and of the decision's life.
# One test may take an hour here: the limit that ends hanging tests is lifted.
nightly: $(VENV)/.dev
	HYPOTHESIS_PROFILE=nightly ENGINE_EXAMPLES=10000 $(BIN)/python -m pytest -o faulthandler_timeout=0 \
		tests/kpis/test_engine.py tests/processes tests/kpis/test_evaluation.py $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(BIN)/python manage.py makemigrations --check --dry-run
	MOPS_ENV=production SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
		ALLOWED_HOSTS=mops.example $(BIN)/python manage.py check --deploy --fail-level WARNING

# The lock carries hashes and no index address; uv is needed only by whoever changes a dependency.
lock:
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --only-binary :all: -q -o requirements.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --only-binary :all: -q -o requirements-dev.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r requirements-dev.txt
	touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) var staticfiles
