"""CloudEvents for tests, as plain data."""

import uuid
from typing import Any


def event(type: str = "widget.v1", id: str = "w1", *, price: Any = 9.5, **attributes: Any) -> dict[str, Any]:
    """A CloudEvent that carries one item; `attributes` replace or add, and None leaves one out."""
    whole = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "tests",
        "type": type,
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"id": id, "description": f"about {id}", "price": price},
        **attributes,
    }
    return {name: value for name, value in whole.items() if value is not None}
