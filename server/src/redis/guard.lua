-- Stands before every script: nothing is read or written unless the shard is of the store that the server began with, and not
-- an old copy of itself.
--
-- KEYS: the shard's seal, its mark; then the script's own.
-- ARGV: the store's id; the mark that the shard has at least, 0 for any or none; then the script's own.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return redis.error_reply('STRANGER this is not the store that the server began with')
end
if (tonumber(redis.call('GET', KEYS[2])) or 0) < tonumber(ARGV[2]) then
  return redis.error_reply('BEHIND this is an old copy of the store')
end

