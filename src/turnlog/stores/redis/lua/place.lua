-- KEYS list, perhaps arrivals of the same shard; ARGV conversation, updated: in a cluster, where calls overtake each other
local there = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], there and later(ARGV[2], there) or ARGV[2], ARGV[1])
if KEYS[2] then redis.call('SADD', KEYS[2], ARGV[1]) end
