"""The token that daprd requires from its callers: https://docs.dapr.io/operations/security/api-token/"""

from dapr_hero.settings import Settings

HEADER = "dapr-api-token"


def to_daprd(settings: Settings) -> dict[str, str]:
    """Return the header (or gRPC metadata) of every call to daprd; empty if no token is set."""
    return {HEADER: settings.dapr_api_token} if settings.dapr_api_token else {}
