-- What is due in one index, the longest overdue first.
--
-- KEYS: the guard's, the index. ARGV: the guard's; the time, empty for Redis's own; how many at most.
-- Answers: the time, then the members.
local now = ARGV[3] ~= '' and ARGV[3] or redis.call('TIME')[1]
return {now, redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, ARGV[4])}
