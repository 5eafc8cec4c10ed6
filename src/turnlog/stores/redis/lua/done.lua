-- KEYS t a of a shard, due of a fold; ARGV conversation and number of its arrival, ...: no longer due unless it arrived again
for n = 1, #ARGV, 2 do
  local again = redis.call('SISMEMBER', KEYS[2], ARGV[n]) == 1 or (redis.call('ZSCORE', KEYS[1], ARGV[n]) or '') ~= ARGV[n + 1]
  if not again then redis.call('ZREM', KEYS[3], ARGV[n]) end
end
