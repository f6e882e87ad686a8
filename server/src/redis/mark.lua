-- Moves a shard's mark on, never back.
--
-- KEYS: the guard's. ARGV: the guard's; how many seconds it stays as it is; the new mark, empty for Redis's time.
-- Answers: the mark that stands now; 1 when it is a new one, 0 when the old one stays.
local stands = tonumber(redis.call('GET', KEYS[2])) or 0
local now = tonumber(ARGV[4] ~= '' and ARGV[4] or redis.call('TIME')[1])
if now < stands + tonumber(ARGV[3]) then
  return {stands, 0}
end
-- As in commit.lua: a full store still has a mark.
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], now)
return {now, 1}
