-- KEYS h s; ARGV shard, tenant, conversation, now: a new erase epoch; no snapshot is of it
local head, updated, dead, user, tags = unpack(redis.call('HMGET', KEYS[1], 'n', 'u', 'd', 'o', 'g'))
if dead then return {'dead'} end
if not head then return {'gone'} end
updated = later(ARGV[4], updated)
enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, tags)
write_lists()
local epoch = redis.call('HINCRBY', KEYS[1], 'e', 1)
redis.call('HSET', KEYS[1], 'u', updated)
redis.call('UNLINK', KEYS[2])
return {'ok', epoch, updated, user, tags}
