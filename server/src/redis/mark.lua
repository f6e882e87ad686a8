-- Moves a shard's mark on.
--
-- KEYS: the shard's seal, its mark. ARGV: the store's id; how many seconds it stays as it is; the new mark, empty for Redis's
--       time.
-- Answers: the new mark, or nothing when it stays.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
local now = tonumber(ARGV[3] ~= '' and ARGV[3] or redis.call('TIME')[1])
if now < (tonumber(redis.call('GET', KEYS[2])) or 0) + tonumber(ARGV[2]) then
  return false
end
-- As in commit.lua: a full store still has a mark.
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], now)
return now
