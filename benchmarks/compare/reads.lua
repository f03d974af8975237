-- For wrk: GETs of random items, and what `Answers` in reads.py wants to know, as the last line.
-- Arguments: resource, prefix of the ids, their number.
function init(args)
  resource, prefix, count = args[1], args[2], tonumber(args[3])
  math.randomseed(1)
end

function request()
  return wrk.format("GET", "/v1/" .. resource .. "/" .. prefix .. "-" .. math.random(0, count - 1))
end

function done(summary, latency, requests)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '{"count": %d, "seconds": %f, "p50_ms": %f, "p99_ms": %f, "bad": %d}\n',
    summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, bad))
end
