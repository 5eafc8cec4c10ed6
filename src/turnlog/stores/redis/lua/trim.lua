-- KEYS h l i of a deleted conversation; ARGV keep: drop what is above that seq, some at a time; how much is left to drop
local head, base = unpack(redis.call('HMGET', KEYS[1], 'n', 'b'))
head, base = tonumber(head), tonumber(base)
local keep = math.min(tonumber(ARGV[1]), head)
if keep <= base then
  redis.call('UNLINK', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'n', keep)
  return 0
end
local dropped = redis.call('RPOP', KEYS[2], math.min(head - keep, 500)) or {}
for _, frame in ipairs(dropped) do redis.call('HDEL', KEYS[3], id_of(frame)) end
head = #dropped > 0 and head - #dropped or keep
redis.call('HSET', KEYS[1], 'n', head)
return head - keep
