-- Keeps what a step has changed, all of it or nothing: only while the transfer is what the step was decided on, and only soon
-- after.
--
-- KEYS: the guard's, the transfer, the shard's due-index, its deletion queue, its counters, what holders hold in it.
-- ARGV: the guard's; the version decided on, empty for none; the last second; a field and the value that it must have, both
--       empty for none; `1` when it may take room on a full store; the version after it; then changes, each a name and its
--       arguments.
-- Answers `done`, or `stale` when it has to be decided anew.
local transfer, due, queue, counters, held = KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local version = redis.call('HGET', transfer, 'v') or ''
if version == ARGV[8] then
  -- A connection that was cut sent it twice: it is kept. Something is written once more, since replicas are waited for
  -- only on account of what this connection has written.
  redis.call('HDEL', transfer, '')
  redis.call('HSET', transfer, 'v', version)
  return 'done'
end
if version ~= ARGV[3] or tonumber(redis.call('TIME')[1]) > tonumber(ARGV[4]) then
  return 'stale'
end
if ARGV[5] ~= '' and redis.call('HGET', transfer, ARGV[5]) ~= ARGV[6] then
  return 'stale'
end
if ARGV[7] == '1' then
  -- A full Redis refuses a script's first write when it takes room, and none after a write that takes none.
  redis.call('HDEL', transfer, '')
end

local at = 9
local function take()
  at = at + 1
  return ARGV[at - 1]
end

local change = {}

function change.set()
  local field = take()
  redis.call('HSET', transfer, field, take())
end

function change.part()
  local field = take()
  if redis.call('HSET', transfer, field, take()) == 1 then
    redis.call('HINCRBY', counters, 'parts', 1)
  end
end

function change.due()
  local time = take()
  redis.call('ZADD', due, time, take())
end

function change.queue()
  local id, object, time = take(), take(), take()
  redis.call('HSET', transfer, 'q' .. object, take())
  redis.call('ZADD', queue, time, id .. '/' .. object)
end

function change.unqueue()
  local id, object = take(), take()
  redis.call('HDEL', transfer, 'q' .. object)
  redis.call('ZREM', queue, id .. '/' .. object)
end

function change.count()
  local counter = take()
  redis.call('HINCRBY', counters, counter, take())
end

-- A holder has more or less, and so has its site, which the first half of its name is. Who has nothing leaves nothing.
function change.hold()
  local holder, count, len = take(), take(), take()
  for prefix, name in pairs({s = string.sub(holder, 1, 16), c = holder}) do
    local count_field, len_field = prefix .. 'n' .. name, prefix .. 'l' .. name
    if redis.call('HINCRBY', held, count_field, count) <= 0 then
      redis.call('HDEL', held, count_field, len_field)
    else
      redis.call('HINCRBY', held, len_field, len)
    end
  end
end

-- The ciphertext goes, and every object is due; what is still being written for it is not waited for either.
function change.erase()
  local id, now, final = take(), take(), take()
  redis.call('HDEL', transfer, 'm')
  for _, field in ipairs(redis.call('HKEYS', transfer)) do
    local kind, rest = string.sub(field, 1, 1), string.sub(field, 2)
    if kind == 'p' then
      local object = rest .. '.' .. string.sub(redis.call('HGET', transfer, field), 33)
      redis.call('HDEL', transfer, field)
      redis.call('HINCRBY', counters, 'parts', -1)
      redis.call('HSET', transfer, 'q' .. object, final .. ':0')
      redis.call('ZADD', queue, now, id .. '/' .. object)
    elseif kind == 'q' and string.sub(redis.call('HGET', transfer, field), -1) == '0' then
      redis.call('ZADD', queue, 'LT', now, id .. '/' .. rest)
    end
  end
end

-- The tombstone goes; objects that still have to be deleted stay.
function change.forget()
  redis.call('ZREM', due, take())
  for _, field in ipairs(redis.call('HKEYS', transfer)) do
    if string.sub(field, 1, 1) ~= 'q' then
      redis.call('HDEL', transfer, field)
    end
  end
end

while at <= #ARGV do
  change[take()]()
end
return 'done'
