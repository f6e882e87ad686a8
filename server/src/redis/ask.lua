-- One command on one key of the shard.
--
-- KEYS: the guard's, the key. ARGV: the guard's; the command; what follows the key in it.
-- Answers: what the command does.
return redis.call(ARGV[3], KEYS[3], unpack(ARGV, 4))
