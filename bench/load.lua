-- What wrk sends and counts: whole requests from a file, each thread its own share of them.
-- Arguments: FILE THREADS once|again EXPECTED_STATUS

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local count = tonumber(arguments[2])
  once, expected = arguments[3] == "once", tonumber(arguments[4])
  mine, sent, wrong, ran_out, first_wrong = {}, 0, 0, 0, ""
  local index = 0
  for whole in file:read("*a"):gmatch("[^%z]+") do
    if index % count == number then
      table.insert(mine, whole)
    end
    index = index + 1
  end
  file:close()
end

function request()
  if sent >= #mine then
    if once then
      -- One that was sent already cannot be counted as good: it is only here because wrk needs one.
      ran_out = 1
      wrk.thread:stop()
      return mine[#mine]
    end
    sent = 0
  end
  sent = sent + 1
  return mine[sent]
end

function response(status, headers, body)
  if status ~= expected then
    wrong = wrong + 1
    if first_wrong == "" then
      first_wrong = status .. " " .. body:sub(1, 300)
    end
  end
end

function done(summary, latency, requests)
  local all_wrong, out, sample = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_wrong = all_wrong + thread:get("wrong")
    out = out + thread:get("ran_out")
    if sample == "" then
      sample = thread:get("first_wrong")
    end
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests": %d, "microseconds": %d, "wrong": %d, "ran_out": %d, "broken": %d,'
      .. ' "late": %d, "p50": %d, "p99": %d, "mean": %d, "sample": "%s"}\n',
    summary.requests, summary.duration, all_wrong, out, errors.connect + errors.read + errors.write,
    errors.timeout, latency:percentile(50), latency:percentile(99), latency.mean,
    sample:gsub('[^%w %.,:/_-]', "?")
  ))
end
