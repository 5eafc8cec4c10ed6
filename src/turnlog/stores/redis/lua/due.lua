-- KEYS u a t n of a shard, due and cursor of a fold; ARGV skip, limit
-- Who arrived (a) gets the next number (n) and a place by it (t), some at a time. Then takes in what arrived since the fold
-- was last asked, some at a time; then who is due, longest untouched first, each with the number of its arrival, and how many
-- were taken in.
local come = redis.call('SPOP', KEYS[2], 1000)
if #come > 0 then
  local number, entries = redis.call('INCRBY', KEYS[4], #come) - #come, {}
  for n, id in ipairs(come) do
    entries[2 * n - 1] = number + n
    entries[2 * n] = id
  end
  redis.call('ZADD', KEYS[3], unpack(entries))
end
local since = '(' .. (redis.call('GET', KEYS[6]) or '0')
local arrived = redis.call('ZRANGE', KEYS[3], since, '+inf', 'BYSCORE', 'LIMIT', 0, 2000, 'WITHSCORES')
for n = 1, #arrived, 2 do
  redis.call('ZADD', KEYS[5], redis.call('ZSCORE', KEYS[1], arrived[n]) or 0, arrived[n])
end
if #arrived > 0 then redis.call('SET', KEYS[6], arrived[#arrived]) end
local due = ARGV[2] ~= '0' and redis.call('ZRANGE', KEYS[5], ARGV[1], ARGV[1] + ARGV[2] - 1) or {}
local numbers = {}
for n, id in ipairs(due) do numbers[n] = redis.call('ZSCORE', KEYS[3], id) or '' end
return {due, numbers, #come + #arrived}
