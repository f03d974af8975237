"""The SDK's settings, derived from ours: the SDK's own environment variables have no effect.

See https://docs.dapr.io/developing-applications/sdks/python/python-client/
"""

from dapr.conf import global_settings
from dapr.conf import settings as sdk

from dapr_hero.service.limits import MAX_MESSAGE_BYTES
from dapr_hero.settings import Settings


def configure(settings: Settings) -> None:
    """Assign every setting of the SDK; it reads a variable only for what has not been assigned."""
    defaults = {name: value for name, value in vars(global_settings).items() if name.isupper()}
    ours = {
        "DAPR_RUNTIME_HOST": settings.dapr_host,
        "DAPR_HTTP_PORT": settings.dapr_http_port,
        "DAPR_GRPC_PORT": settings.dapr_grpc_port,
        "DAPR_API_TOKEN": settings.dapr_api_token or None,
        "DAPR_API_TIMEOUT_SECONDS": settings.request_timeout_seconds,
        "DAPR_HEALTH_TIMEOUT": settings.request_timeout_seconds,
        "DAPR_GRPC_MAX_INBOUND_MESSAGE_SIZE_BYTES": MAX_MESSAGE_BYTES,
    }
    for name, value in {**defaults, **ours}.items():
        setattr(sdk, name, value)
