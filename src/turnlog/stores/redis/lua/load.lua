-- KEYS h s q; ARGV fold
local head, updated, epoch, dead = unpack(redis.call('HMGET', KEYS[1], 'n', 'u', 'e', 'd'))
if dead then return {'dead'} end
if not head then return {'gone', redis.call('EXISTS', KEYS[3])} end
return {'ok', redis.call('HGET', KEYS[2], ARGV[1]), tonumber(head) or 0, tonumber(epoch or 0) or 0, updated}
