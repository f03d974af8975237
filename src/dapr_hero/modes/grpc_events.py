"""A CloudEvent put together again from the parts in which daprd hands it over by gRPC."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dapr_hero.items import NOT_JSON

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
    return msgspec.json.encode({**extensions, **present, **_payload(content_type, data)})


def _payload(content_type: str, data: bytes) -> dict[str, object]:
    """The member that holds the data; bytes that are not what their type says have one of their own."""
    try:
        text = data.decode()
        is_text = content_type.startswith("text/")
        return {"data": text if is_text else msgspec.json.decode(text, type=msgspec.Raw)}
    except NOT_JSON:
        return {"data_base64": data}
