-- Writes something, so that there is something for replicas to have.
--
-- KEYS: the guard's, the shard's pulse. ARGV: the guard's.
-- Answers `done`, or `full` where nothing new has room.
local beat = redis.pcall('HINCRBY', KEYS[3], 'beats', 1)
if type(beat) ~= 'table' then
  return 'done'
end
if not string.find(beat.err, 'OOM', 1, true) then
  return beat
end
-- As in commit.lua: a full store can still be waited for.
redis.call('HDEL', KEYS[3], '')
redis.call('HINCRBY', KEYS[3], 'beats', 1)
return 'full'
