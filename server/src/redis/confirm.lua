-- Takes objects that were deleted from the queue. One whose late write may still arrive stays for once more.
--
-- KEYS: the guard's, the shard's deletion queue, then the transfer of each object.
-- ARGV: the guard's; when they were taken, by Redis's time; then the objects, each by its whole name and by its name within
--       the transfer.
local now = tonumber(ARGV[3])
for place = 4, #KEYS do
  local transfer = KEYS[place]
  local member, field = ARGV[2 * place - 4], 'q' .. ARGV[2 * place - 3]
  local entry = redis.call('HGET', transfer, field)
  if entry then
    local final = string.match(entry, '^%d+')
    redis.call('HDEL', transfer, '')
    if now < tonumber(final) then
      redis.call('HSET', transfer, field, final .. ':1')
      redis.call('ZADD', KEYS[3], final, member)
    else
      redis.call('HDEL', transfer, field)
      redis.call('ZREM', KEYS[3], member)
    end
  end
end
return 'done'
