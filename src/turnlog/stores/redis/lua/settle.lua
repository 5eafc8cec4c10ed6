-- KEYS list; ARGV conversation, score at which it was seen, the right one or '': it goes there, or out, if it is where it was
local there = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not there or tonumber(there) ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
