-- Asks for a million different ids once each, then for /health, which the
-- journal does not count, until wrk's time is over. One thread only.
-- wrk calls request() once beforehand and throws the result away.
local next_id = -1

function request()
  if next_id < 0 then
    next_id = 0
    return wrk.format("GET", "/health")
  end
  if next_id < 1000000 then
    local path = "/inventory/products?id=" .. next_id
    next_id = next_id + 1
    return wrk.format("GET", path)
  end
  return wrk.format("GET", "/health")
end
