-- KEYS h l i q; ARGV shard, tenant, conversation, k, whether that was reserved or '', updated, user, tags, count of header
-- fields and values, these, frames...
-- Lists are written first: a conversation is never without them, whatever fails (decision 022).
local dead, there = unpack(redis.call('HMGET', KEYS[1], 'd', 'c'))
if ARGV[5] ~= '' and redis.call('HDEL', KEYS[4], ARGV[4]) == 0 and not dead and not there then return {'void'} end
if dead then return {'dead'} end
if there then return {'exists'} end
local last = 9 + tonumber(ARGV[9])
local frames = {unpack(ARGV, last + 1, math.min(#ARGV, last + 1000))}
for n = last + 1001, #ARGV do frames[#frames + 1] = ARGV[n] end
enlist(ARGV[1], ARGV[2], ARGV[3], ARGV[6], ARGV[7] ~= '' and ARGV[7], ARGV[8])
local failed = write_lists()
if failed then return {'failed', select(2, next(failed))} end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
push(KEYS[2], KEYS[3], frames, 1, 0)
widen(KEYS[3], 0, #frames)
redis.call('HSET', KEYS[1], 'k', ARGV[4], 'w', widest_of(frames, 0), unpack(ARGV, 10, last))
return {'ok', history()}
