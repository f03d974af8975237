"""The kinds of events, one row each. Routing, stores, Dapr's resources, API, command line and samples derive from it.

docs/guides/add-a-type.md shows how to add a row.
"""

from enum import Enum
from typing import Any, NamedTuple


class Backend(Enum):
    """The server that keeps the items of a kind."""

    POSTGRESQL = "a table of PostgreSQL, named like the resource"
    STATE_STORE = "Dapr's state store"
    PRODUCTS = "the products service, which keeps the items of one kind"


class Kind(NamedTuple):
    """Events of one type, and the resource that they become."""

    name: str
    """One item, as the command line calls it."""
    type: str
    """The `type` of the CloudEvents."""
    path: str
    """The path on which daprd delivers them."""
    resource: str
    """All items, as the REST API calls them."""
    backend: Backend

    @property
    def match(self) -> str:
        """The rule in Common Expression Language, as Dapr evaluates it."""
        return f'event.type == "{self.type}"'

    @property
    def parked_path(self) -> str:
        """The path on which parked events of this kind come back."""
        return f"/parked/{self.resource}"

    @property
    def sample(self) -> dict[str, Any]:
        """A CloudEvent of this kind. It has no id and no time: `dapr-hero publish` adds both."""
        return {
            "specversion": "1.0",
            "type": self.type,
            "source": "dapr-hero/messages",
            "datacontenttype": "application/json",
            "data": {"id": self.name, "description": f"A sample {self.name}", "price": 19.99},
        }


KINDS = (
    Kind("widget", "widget.v1", "/widgets.v1", "widgets", Backend.POSTGRESQL),
    Kind("gadget", "gadget.v1", "/gadgets.v1", "gadgets", Backend.STATE_STORE),
    Kind("thingamajig", "thingamajig.v1", "/products.v1", "products", Backend.PRODUCTS),
)
# The default kind also takes the events of every type that has no row.
DEFAULT = KINDS[-1]


def kind_of(event_type: object) -> Kind:
    """Return the kind of an event by its type."""
    return next((kind for kind in KINDS if kind.type == event_type), DEFAULT)
