"""The command `token`."""

import sys

import typer

from dapr_hero import settings
from dapr_hero.contract.errors import UserError
from dapr_hero.local.credentials import with_tokens

app = typer.Typer(add_completion=False)


@app.command()
def token() -> None:
    """Print the token that daprd wants of its callers, for their header `dapr-api-token`.

    Example: `curl --header "dapr-api-token: $(dapr-hero token)" http://localhost:3500/v1.0/metadata`
    """
    found = with_tokens(settings.load()).dapr_api_token
    if not found:
        raise UserError("no token is known: start the platform (make run), or set DAPR_API_TOKEN")
    sys.stdout.write(found + "\n")
