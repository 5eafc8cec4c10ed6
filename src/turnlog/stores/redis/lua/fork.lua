-- KEYS h f of the parent; ARGV fork, parent_seq, now
local head, epoch, dead = unpack(redis.call('HMGET', KEYS[1], 'n', 'e', 'd'))
if dead then return {'dead'} end
if not head then return {'gone'} end
if tonumber(ARGV[2]) > tonumber(head) then return {'short'} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
return {'ok', epoch}
