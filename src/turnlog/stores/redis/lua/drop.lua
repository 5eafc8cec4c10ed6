-- KEYS h s; ARGV fold, below: drops what earlier versions of a fold saved
local head, dead = unpack(redis.call('HMGET', KEYS[1], 'n', 'd'))
if dead then return {'dead'} end
if not head then return {'gone'} end
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  local version, fold = string.match(field, '^(%d+) (.*)$')
  if fold == ARGV[1] and tonumber(version) < tonumber(ARGV[2]) then redis.call('HDEL', KEYS[2], field) end
end
return {'ok'}
