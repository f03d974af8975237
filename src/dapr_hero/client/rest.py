"""Reads one item over REST. It needs nothing but the standard library, so that the command starts fast."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException, IncompleteRead
from urllib.parse import quote, urlsplit

from dapr_hero.client import answers
from dapr_hero.contract.kinds import Kind
from dapr_hero.settings import Settings


def item(settings: Settings, kind: Kind, id: str) -> str:
    """Return one item as JSON. Raises: ClientError."""
    path = f"/v1/{kind.resource}/{quote(id, safe='')}"
    address = urlsplit(settings.inventory_url)
    connection = HTTPConnection(
        address.hostname or "", address.port, timeout=settings.request_timeout_seconds * 2
    )
    with closing(connection):
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read(answers.MAX_BYTES + 1)
            text = answers.text(body)
            if response.length:
                raise IncompleteRead(body, response.length)
        except (HTTPException, OSError, ValueError) as error:
            raise answers.missing(f"{settings.inventory_url}{path}", error) from None
    return answers.accepted(response.status, text)
