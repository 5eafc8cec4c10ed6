-- KEYS u t n of a shard, due and cursor of a fold; ARGV skip, limit
-- Takes in what arrived since it was last asked, some at a time; then who is due, longest untouched first, each with the
-- number of its arrival.
local arrived = redis.call('ZRANGE', KEYS[2], '(' .. (redis.call('GET', KEYS[5]) or '0'), '+inf', 'BYSCORE', 'LIMIT', 0, 2000, 'WITHSCORES')
for n = 1, #arrived, 2 do
  local updated = redis.call('ZSCORE', KEYS[1], arrived[n])
  if updated then redis.call('ZADD', KEYS[4], updated, arrived[n]) end
end
if #arrived > 0 then redis.call('SET', KEYS[5], arrived[#arrived]) end
local due = redis.call('ZRANGE', KEYS[4], ARGV[1], ARGV[1] + ARGV[2] - 1)
local numbers = {}
for n, id in ipairs(due) do numbers[n] = redis.call('ZSCORE', KEYS[2], id) or '' end
return {due, numbers}
