-- KEYS h l i s f q; ARGV shard, tenant, conversation, now. What stays is that the id is dead, and what forks may show.
local fields = {'k', 'p', 'x', 'w', 'e', 'z'}
local head, base, dead, user, tags = unpack(redis.call('HMGET', KEYS[1], 'n', 'b', 'd', 'o', 'g'))
if dead then return {'dead'} end
if not head then return {'gone'} end
base = tonumber(base or 0) or 0
if not tonumber(head) then  -- it decayed: as many as there are
  local length = redis.pcall('LLEN', KEYS[2])
  head = base + (tonumber(length) or 0)
end
local kept = redis.call('HMGET', KEYS[1], unpack(fields))
delist(ARGV[1], ARGV[2], ARGV[3], user, tags)
redis.call('UNLINK', KEYS[1], KEYS[4], KEYS[6])
if redis.call('EXISTS', KEYS[5]) == 0 then
  redis.call('UNLINK', KEYS[2], KEYS[3])
  head = 0
end
redis.call('HSET', KEYS[1], 'd', 1, 'n', head, 'b', base, 'u', ARGV[4])
for n, field in ipairs(fields) do
  if kept[n] and (field ~= 'e' or tonumber(kept[n])) then redis.call('HSET', KEYS[1], field, kept[n]) end
end
return {'ok', user, tags}
