"""The modes: the one place that describes each of them. Its code is the file of the same name in `modes`."""

from enum import StrEnum
from typing import Self


class Mode(StrEnum):
    """A way to talk to Dapr, in both directions: events in and calls out.

    `protocol` is the `--app-protocol` of daprd. `port_setting` is the setting with the port on which daprd
    calls the app.
    """

    SDK_HTTP = "sdk-http", "http", "sdk_http_port"
    SDK_GRPC = "sdk-grpc", "grpc", "sdk_grpc_port"
    CUSTOM_HTTP = "custom-http", "http", "custom_http_port"
    CUSTOM_GRPC = "custom-grpc", "grpc", "custom_grpc_port"

    protocol: str
    port_setting: str

    def __new__(cls, name: str, protocol: str = "", port_setting: str = "") -> Self:
        """Return the member whose value is its name on the command line and in `DAPR_MODE`."""
        mode = str.__new__(cls, name)
        mode._value_ = name
        mode.protocol = protocol
        mode.port_setting = port_setting
        return mode
