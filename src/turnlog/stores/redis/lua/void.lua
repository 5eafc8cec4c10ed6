-- KEYS h q; ARGV k: the conversation of that number: 'there' with its head and whether it is dead, or 'void': never will be
local number, head, dead = unpack(redis.call('HMGET', KEYS[1], 'k', 'n', 'd'))
if number == ARGV[1] then return {'there', tonumber(head or nil) or NUMBER_MAX, dead and 1 or 0} end
redis.call('HDEL', KEYS[2], ARGV[1])
return {'void'}
