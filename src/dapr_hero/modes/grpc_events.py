"""A CloudEvent put together again from the parts in which daprd hands it over by gRPC."""

from collections.abc import Mapping
from typing import Any

import msgspec

# The attributes that have a field of their own in daprd's messages; the others are among the extensions.
ATTRIBUTES = {
    "id": "id",
    "source": "source",
    "type": "type",
    "specversion": "spec_version",
    "datacontenttype": "data_content_type",
}


def structured(attributes: Mapping[str, str], extensions: Mapping[str, Any], data: bytes) -> bytes:
    """The event in structured JSON; nothing when daprd has left out its data.

    daprd hands over JSON and texts, and of any other content type only the attributes.
    """
    present = {name: value for name, value in attributes.items() if value}
    content_type = attributes["datacontenttype"]
    if not data:
        return msgspec.json.encode({**extensions, **present}) if "json" in content_type else b""
    payload = data.decode(errors="replace") if content_type.startswith("text/") else msgspec.Raw(data)
    return msgspec.json.encode({**extensions, **present, "data": payload})
