"""Log lines, as text for terminals or as JSON for machines."""

import logging
import sys
from functools import partial

import structlog
from structlog.typing import EventDict

from dapr_hero.settings import Settings


def configure(service: str, settings: Settings) -> None:
    """Write all log lines of this process to standard error, ours and our libraries' alike.

    Each line names the service, and one line holds a whole traceback if the format is JSON.
    """
    shared: list[structlog.typing.Processor] = [
        partial(_add_service, service),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=False,
                # Not the pretty one: it shows local variables, and so secrets.
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def _add_service(service: str, _: object, __: str, event: EventDict) -> EventDict:
    # Not by a context variable, which the threads of libraries do not have.
    return {**event, "service": service}
