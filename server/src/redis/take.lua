-- Takes objects for deletion that are due: from then on none of them becomes a part, and each is offered again soon.
--
-- KEYS: the shard's seal, its deletion queue, then the transfer of each object.
-- ARGV: the store's id; the time; when each is offered again; a version that no transfer had before; then the objects, each
--       by its whole name and by its name within the transfer.
-- Answers: the whole names of those that were taken; how many were struck out because their transfer does not name them.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
local taken, struck = {}, 0
for place = 3, #KEYS do
  local transfer = KEYS[place]
  local member, field = ARGV[2 * place - 1], 'q' .. ARGV[2 * place]
  local due, entry = redis.call('ZSCORE', KEYS[2], member), redis.call('HGET', transfer, field)
  local final = entry and string.match(entry, '^%d+')
  if due and not final then
    -- Such are not written, and offered again and again they would keep others from being taken.
    struck = struck + redis.call('ZREM', KEYS[2], member)
  elseif due and tonumber(due) <= tonumber(ARGV[2]) then
    -- As in commit.lua: a full store gives up what is deleted.
    redis.call('HDEL', transfer, '')
    redis.call('HSET', transfer, field, final .. ':1')
    redis.call('ZADD', KEYS[2], ARGV[3], member)
    if redis.call('HEXISTS', transfer, 'v') == 1 then
      redis.call('HSET', transfer, 'v', ARGV[4])
    end
    taken[#taken + 1] = member
  end
end
return {taken, struck}
