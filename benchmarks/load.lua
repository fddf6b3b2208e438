-- wrk's side of a run: the requests of a file in turn, at most so many of them; the figures as one line of JSON.
-- Arguments: the file, its requests separated by zero bytes; the most requests (none: as many as the time allows).

local worker
local requests = {}
local most
sent = 0 -- global, so that done can ask the worker for it

function setup(thread)
  worker = thread
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for request in file:read("*a"):gmatch("[^%z]+") do
    requests[#requests + 1] = request
  end
  file:close()
  most = tonumber(arguments[2])
end

function request()
  sent = sent + 1
  if sent == most then
    wrk.thread:stop()
    -- Else wrk sleeps out its time. Until this thread has ended, the signal may reach it in place of the sleeping one.
    io.popen("exec 2>/dev/null; while kill -INT $PPID; do sleep 0.002; done")
  end
  return requests[(sent - 1) % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"calls": %d, "sent": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "most_ms": %.3f, "refused": %d, "broken": %d}\n',
    summary.requests, worker:get("sent"), summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
