-- Takes objects that were deleted from the queue. One whose late write may still arrive stays for once more.
--
-- KEYS: the shard's seal, its deletion queue, then the transfer of each object.
-- ARGV: the store's id; when they were taken, by Redis's time; then the objects, each by its whole name and by its name within
--       the transfer.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
local now = tonumber(ARGV[2])
for place = 3, #KEYS do
  local transfer = KEYS[place]
  local member, field = ARGV[2 * place - 3], 'q' .. ARGV[2 * place - 2]
  local entry = redis.call('HGET', transfer, field)
  if entry then
    local final = string.match(entry, '^%d+')
    redis.call('HDEL', transfer, '')
    if now < tonumber(final) then
      redis.call('HSET', transfer, field, final .. ':1')
      redis.call('ZADD', KEYS[2], final, member)
    else
      redis.call('HDEL', transfer, field)
      redis.call('ZREM', KEYS[2], member)
    end
  end
end
return 'done'
