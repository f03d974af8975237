"""Frees the broker's memory: removes from streams the entries that every consumer group has acknowledged.

Dapr's Redis component acknowledges entries and never removes one. Its `maxLenApprox` and `streamTTL` also
remove entries that no group has read yet, so they lose events; this does not.

    python -m dapr_local.stream_trimmer --address localhost:6379 --password-file FILE STREAM...
"""

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

log = structlog.get_logger()

# Bounds the time that one call blocks the server, to some milliseconds.
ENTRIES_PER_CALL = 10_000

# The script is atomic: no entry is delivered between the look at the groups and the removal. A group still
# needs its oldest pending entry, if it has one, and everything after the last entry delivered to it.
# https://valkey.io/commands/xtrim/
_TRIM = """
local function older(a, b)
  local a_ms, a_seq = a:match('(%d+)-(%d+)')
  local b_ms, b_seq = b:match('(%d+)-(%d+)')
  if a_ms == b_ms then return tonumber(a_seq) < tonumber(b_seq) end
  return tonumber(a_ms) < tonumber(b_ms)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local oldest
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = {}
  for i = 1, #group, 2 do fields[group[i]] = group[i + 1] end
  local needed = fields['last-delivered-id']
  if fields['pending'] > 0 then needed = redis.call('XPENDING', KEYS[1], fields['name'])[2] end
  if not oldest or older(needed, oldest) then oldest = needed end
end
if not oldest then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', oldest, 'LIMIT', ARGV[1])
"""


async def trim(valkey: Valkey, stream: str) -> int:
    """Remove what every consumer group of the stream has acknowledged; return the number of entries removed.

    Up to 100 such entries may stay, as the server frees whole nodes of a stream. A stream without a group is
    left alone. Raises: ValkeyError, OSError.
    """
    script = valkey.register_script(_TRIM)
    removed = 0
    while some := int(await script([stream], [ENTRIES_PER_CALL])):
        removed += some
    return removed


async def run(valkey: Valkey, streams: Sequence[str], interval_seconds: float) -> None:
    """Trim the streams until cancelled. An outage is logged when it starts and when it ends."""
    available = True
    while True:
        try:
            for stream in streams:
                removed = await trim(valkey, stream)
                if removed:
                    log.debug("stream trimmed", stream=stream, entries=removed)
        except (ValkeyError, OSError) as error:
            if available:
                log.warning("broker unavailable; streams are not trimmed", error=str(error))
            available = False
        else:
            if not available:
                log.info("broker available again; streams are trimmed")
            available = True
        await asyncio.sleep(interval_seconds)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description="Remove acknowledged entries from Redis or Valkey streams.")
    parser.add_argument("streams", nargs="+", metavar="STREAM", help="a topic of Dapr's Redis component")
    parser.add_argument("--address", default="localhost:6379", help="HOST:PORT of the server [%(default)s]")
    parser.add_argument("--password-file", type=Path, help="a file that holds the server's password")
    parser.add_argument("--interval", type=float, default=10.0, help="seconds between rounds [%(default)s]")
    given = parser.parse_args()
    try:
        password = given.password_file.read_text().strip() if given.password_file else None
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"cannot read {given.password_file}: {error}")
    host, separator, port = given.address.rpartition(":")
    if not separator or not port.isdecimal():
        parser.error(f"--address is not HOST:PORT: {given.address}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    valkey = Valkey(host=host.strip("[]"), port=int(port), password=password, socket_timeout=10)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run(valkey, given.streams, given.interval))


if __name__ == "__main__":
    main()
