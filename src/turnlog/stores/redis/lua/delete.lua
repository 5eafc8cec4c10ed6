-- KEYS h l i s f; ARGV shard, tenant, conversation, now. What stays is that the id is dead, and what forks may show.
local head, base, dead, parent, user, tags, pending = unpack(redis.call('HMGET', KEYS[1], 'n', 'b', 'd', 'p', 'o', 'g', 'x'))
if dead then return {'dead'} end
if not head then return {'gone'} end
delist(ARGV[1], ARGV[2], ARGV[3], user, tags)
redis.call('UNLINK', KEYS[1], KEYS[4])
if redis.call('EXISTS', KEYS[5]) == 0 then
  redis.call('UNLINK', KEYS[2], KEYS[3])
  head = 0
end
redis.call('HSET', KEYS[1], 'd', 1, 'n', head, 'b', base, 'u', ARGV[4], 'e', 0)
if parent then redis.call('HSET', KEYS[1], 'p', parent) end
if pending then redis.call('HSET', KEYS[1], 'x', pending) end
return {'ok', user, tags}
