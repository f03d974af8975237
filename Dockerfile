# The two services, each in its own image: `make docker-build`. The reasons: docs/adr/0017-images.md
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS wheel
WORKDIR /source
COPY requirements/build.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv /build && /build/bin/pip install --require-hashes --requirement requirements/build.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel .

FROM ${BASE_IMAGE} AS venv
# For `strip`.
RUN apt-get update && apt-get install --yes --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /app
# The base's pip installs there, so that the images get none.
ENV PIP_PYTHON=/app/bin/python

FROM venv AS inventory-app
COPY requirements/inventory.txt /
# A third of the packages is debug symbols.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-compile --require-hashes --requirement /inventory.txt \
    && find /app -name '*.so' -exec strip --strip-debug {} +
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-compile --no-deps --no-index /wheel/*.whl
# To import it compiles it, with all that it needs of the packages and the standard library, and shows that all is there.
RUN PYTHONPYCACHEPREFIX=/app/bytecode /app/bin/python -c \
    'from dapr_hero import modes; from dapr_hero.contract.mode import Mode; import dapr_hero.inventory.__main__; [modes.load(mode) for mode in Mode]'

FROM venv AS products-app
COPY requirements/products.txt /
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-compile --require-hashes --requirement /products.txt \
    && find /app -name '*.so' -exec strip --strip-debug {} +
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-compile --no-deps --no-index /wheel/*.whl
RUN PYTHONPYCACHEPREFIX=/app/bytecode /app/bin/python -c 'import dapr_hero.products.__main__'

FROM ${BASE_IMAGE} AS inventory
COPY --from=inventory-app /app /app
ENV PYTHONPYCACHEPREFIX=/app/bytecode
USER 65532:65532
EXPOSE 3000
ENTRYPOINT ["/app/bin/python", "-P", "-m", "dapr_hero.inventory"]
ARG VERSION
LABEL org.opencontainers.image.title="dapr-hero-inventory" \
      org.opencontainers.image.description="inventory of dapr-hero: events by Dapr into stores, and a REST API" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"

FROM ${BASE_IMAGE} AS products
COPY --from=products-app /app /app
ENV PYTHONPYCACHEPREFIX=/app/bytecode
USER 65532:65532
EXPOSE 3004
ENTRYPOINT ["/app/bin/python", "-P", "-m", "dapr_hero.products"]
ARG VERSION
LABEL org.opencontainers.image.title="dapr-hero-products" \
      org.opencontainers.image.description="products of dapr-hero: a gRPC service on a Dapr state store" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="MIT"
