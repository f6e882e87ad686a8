-- Puts a transfer off that is due and cannot be settled.
--
-- KEYS: the shard's seal, its due-index. ARGV: the store's id; until when; the transfer's id.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
-- As in commit.lua: a full store goes on with what can be settled.
redis.call('ZREM', KEYS[2], '')
redis.call('ZADD', KEYS[2], 'XX', ARGV[2], ARGV[3])
return 'done'
