-- KEYS t of a shard, due of a fold; ARGV conversation and number of its arrival, ...: no longer due unless it arrived again
for n = 1, #ARGV, 2 do
  if (redis.call('ZSCORE', KEYS[1], ARGV[n]) or '') == ARGV[n + 1] then redis.call('ZREM', KEYS[2], ARGV[n]) end
end
