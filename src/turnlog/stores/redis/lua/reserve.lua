-- KEYS h q; ARGV k: a conversation of that number may come to be here, until somebody takes the reservation away (void)
local dead, there = unpack(redis.call('HMGET', KEYS[1], 'd', 'c'))
if dead then return {'dead'} end
if there then return {'exists'} end
redis.call('HSET', KEYS[2], ARGV[1], 1)
return {'ok'}
