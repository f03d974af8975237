"""The outcome of events on a path without a handler."""

import structlog

from dapr_hero.contract.events import Outcome, Verdict
from dapr_hero.service import metrics

log = structlog.get_logger()


def retry_unknown_path(path: str, count: int) -> list[Outcome]:
    """Return the outcomes of events on a path that no subscription of this version names.

    daprd delivers there when its Subscription is ahead of the code. It takes the usual answers, 404 and
    UNIMPLEMENTED, for handled events and forgets them; after RETRY it keeps them in the end as dead letters.
    """
    log.error("no handler for this path; its events end as dead letters", path=path, count=count)
    metrics.EVENTS.labels("unknown", Verdict.RETRY.value).inc(count)
    return [Outcome(Verdict.RETRY, "no handler for this path")] * count
