-- A transfer for whoever brings a proof that fits it; the same empty answer when there is no such transfer.
--
-- KEYS: the guard's, the transfer, the shard's deletion queue.
-- ARGV: the guard's; the field that the proof is held against, `c` for a claimant, empty for a caller within the server;
--       the proof; what else is asked for, `m` the manifest, `i` the indices of all parts; the index of one part, or empty;
--       one object by its name within the transfer and by its whole name, or empty.
-- Answers: the time, version, record, leases, manifest, part, queue entry, indices, and where an object is asked for how many
--          fields there are.
local now = redis.call('TIME')[1]
local transfer, kind, proof = KEYS[3], ARGV[3], ARGV[4]
local fits
if kind == 'c' then
  fits = redis.call('HEXISTS', transfer, 'c' .. proof) == 1
elseif kind == '' then
  fits = redis.call('HEXISTS', transfer, 'v') == 1
else
  -- Lua keeps one copy of each text, and compares two of them by their addresses.
  fits = redis.call('HGET', transfer, kind) == proof
end
if not fits then
  return {now, '', '', {}, '', '', '', {}, 0}
end

local head = redis.call('HMGET', transfer, 'v', 'r', 'n')
local leases = {}
for place = 0, tonumber(head[3] or 0) - 1 do
  leases[place + 1] = redis.call('HGET', transfer, 'l' .. place)
end
local manifest = string.find(ARGV[5], 'm', 1, true) and redis.call('HGET', transfer, 'm') or ''
local part = ARGV[6] ~= '' and redis.call('HGET', transfer, 'p' .. ARGV[6]) or ''
local queued, fields = '', 0
if ARGV[7] ~= '' then
  fields = redis.call('HLEN', transfer)
  local entry = redis.call('HGET', transfer, 'q' .. ARGV[7])
  local due = redis.call('ZSCORE', KEYS[4], ARGV[8])
  if entry and due then
    queued = due .. ':' .. entry
  end
end
local indices = {}
if string.find(ARGV[5], 'i', 1, true) then
  for _, field in ipairs(redis.call('HKEYS', transfer)) do
    if string.sub(field, 1, 1) == 'p' then
      indices[#indices + 1] = string.sub(field, 2)
    end
  end
end
return {now, head[1], head[2], leases, manifest, part, queued, indices, fields}
