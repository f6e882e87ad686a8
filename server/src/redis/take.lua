-- Takes objects for deletion that are due: from then on none of them becomes a part, and each is offered again soon.
--
-- KEYS: the guard's, the shard's deletion queue, then the transfer of each object.
-- ARGV: the guard's; the time; when each is offered again; a version that no transfer had before; then the objects, each
--       by its whole name and by its name within the transfer.
-- Answers: the whole names of those that were taken; how many were struck out because their transfer does not name them.
local taken, struck = {}, 0
for place = 4, #KEYS do
  local transfer = KEYS[place]
  local member, field = ARGV[2 * place - 2], 'q' .. ARGV[2 * place - 1]
  local due, entry = redis.call('ZSCORE', KEYS[3], member), redis.call('HGET', transfer, field)
  local final = entry and string.match(entry, '^%d+')
  if due and not final then
    -- Such are not written, and offered again and again they would keep others from being taken.
    struck = struck + redis.call('ZREM', KEYS[3], member)
  elseif due and tonumber(due) <= tonumber(ARGV[3]) then
    -- As in commit.lua: a full store gives up what is deleted.
    redis.call('HDEL', transfer, '')
    redis.call('HSET', transfer, field, final .. ':1')
    redis.call('ZADD', KEYS[3], ARGV[4], member)
    if redis.call('HEXISTS', transfer, 'v') == 1 then
      redis.call('HSET', transfer, 'v', ARGV[5])
    end
    taken[#taken + 1] = member
  end
end
return {taken, struck}
