-- KEYS h f of the parent; ARGV k of the fork, fork, parent_seq: notes a fork that is there, and that a failover made the parent
-- forget; 1 if it had. Counts in a deleted parent (y), so that a trim that runs beside it looks again.
local head, dead = unpack(redis.call('HMGET', KEYS[1], 'n', 'd'))
if not head or redis.call('HSETNX', KEYS[2], ARGV[1] .. ' ' .. ARGV[2], ARGV[3]) == 0 then return 0 end
if dead then redis.call('HINCRBY', KEYS[1], 'y', 1) end
return 1
