-- KEYS h f of the parent; ARGV k of the fork, fork, parent_seq
-- Notes who may show the records up to parent_seq. Whether the fork came to be, its own header tells (decision 022).
local head, epoch, dead, tokens = unpack(redis.call('HMGET', KEYS[1], 'n', 'e', 'd', 's'))
if dead then return {'dead'} end
if not head then return {'gone'} end
if tonumber(ARGV[3]) > tonumber(head) then return {'short'} end
redis.call('HSET', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], ARGV[3])
return {'ok', tonumber(epoch or 0) or 0, history(), tokens}
