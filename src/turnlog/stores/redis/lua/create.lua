-- KEYS h l i; ARGV shard, tenant, conversation, updated, user, tags, count of header fields and values, these, frames...
local dead, there = unpack(redis.call('HMGET', KEYS[1], 'd', 'c'))
if dead then return {'dead'} end
if there then return {'exists'} end
local last = 7 + tonumber(ARGV[7])
redis.call('HSET', KEYS[1], unpack(ARGV, 8, last))
local frames = {unpack(ARGV, last + 1, math.min(#ARGV, last + 1000))}
for n = last + 1001, #ARGV do frames[#frames + 1] = ARGV[n] end
push(KEYS[2], KEYS[3], frames, 1)
widen(KEYS[3], 0, #frames)
enlist(ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] ~= '' and ARGV[5], ARGV[6])
write_lists()
return {'ok'}
