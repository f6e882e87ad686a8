-- Puts a transfer off that is due and cannot be settled.
--
-- KEYS: the guard's, the shard's due-index. ARGV: the guard's; until when; the transfer's id.
-- As in commit.lua: a full store goes on with what can be settled.
redis.call('ZREM', KEYS[3], '')
redis.call('ZADD', KEYS[3], 'XX', ARGV[3], ARGV[4])
return 'done'
