-- Takes from what a client has of one budget, and from what its neighbours have, both or neither. What is kept for each is when
-- all of it is there again, in microseconds of Redis's time, and no longer than until then.
--
-- The guard does not stand before this one: nothing of a transfer is decided here, and an emptied or old Redis only lets clients
-- begin anew.
--
-- KEYS: the client's, and its neighbours' where it has any; in one slot.
-- ARGV: for each of them the time that what is taken needs to be there again, and the time that all of it needs.
-- Answers 0 when it was taken, else after how many microseconds it could be.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local whole_at, wait = {}, 0
for i, key in ipairs(KEYS) do
  local cost, all = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  whole_at[i] = math.max(tonumber(redis.call('GET', key)) or 0, now) + cost
  wait = math.max(wait, whole_at[i] - all - now)
end
if wait > 0 then
  return wait
end
for i, key in ipairs(KEYS) do
  local left_ms = math.ceil((whole_at[i] - now) / 1000)
  local kept = redis.pcall('SET', key, string.format('%.0f', whole_at[i]), 'PX', left_ms)
  -- Where nothing has room, the step that follows says so itself, or needs none.
  if type(kept) == 'table' and kept.err and not string.find(kept.err, 'OOM', 1, true) then
    return kept
  end
end
return 0
