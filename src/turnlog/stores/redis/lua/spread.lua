-- KEYS h; ARGV seq: its erasure has reached every fork
local pending = redis.call('HGET', KEYS[1], 'x')
if not pending then return end
local left = ''
for seq in string.gmatch(pending, '%d+') do if seq ~= ARGV[1] then left = left .. seq .. ',' end end
if left == '' then redis.call('HDEL', KEYS[1], 'x') else redis.call('HSET', KEYS[1], 'x', left) end
