-- What is due in one index, the longest overdue first.
--
-- KEYS: the shard's seal, the index. ARGV: the store's id; the time, empty for Redis's own; how many at most.
-- Answers: the time, then the members.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
local now = ARGV[2] ~= '' and ARGV[2] or redis.call('TIME')[1]
return {now, redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[3])}
