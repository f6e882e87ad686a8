-- Writes something, so that there is something for replicas to have.
--
-- KEYS: the guard's, the shard's pulse. ARGV: the guard's.
-- As in commit.lua: a full store can still be waited for.
redis.call('HDEL', KEYS[3], '')
redis.call('HINCRBY', KEYS[3], 'beats', 1)
return 'done'
