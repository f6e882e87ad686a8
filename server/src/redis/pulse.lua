-- Writes something, so that there is something for replicas to have.
--
-- KEYS: the shard's seal, its pulse. ARGV: the store's id.
-- Answers `done`, or `full` where nothing new has room.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
local beat = redis.pcall('HINCRBY', KEYS[2], 'beats', 1)
if type(beat) ~= 'table' then
  return 'done'
end
if not string.find(beat.err, 'OOM', 1, true) then
  return beat
end
-- As in commit.lua: a full store can still be waited for.
redis.call('HDEL', KEYS[2], '')
redis.call('HINCRBY', KEYS[2], 'beats', 1)
return 'full'
