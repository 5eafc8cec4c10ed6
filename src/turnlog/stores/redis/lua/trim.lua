-- KEYS h l i of a deleted conversation; ARGV keep, y when it was found out: drop what is above that seq, some at a time; how
-- much is left to drop, or -1: find out again
local head, base, adopted, widest = unpack(redis.call('HMGET', KEYS[1], 'n', 'b', 'y', 'w'))
if (adopted or '') ~= ARGV[2] then return -1 end
base = tonumber(base or 0) or 0
head = tonumber(head or nil) or base + redis.call('LLEN', KEYS[2])
local keep = math.min(tonumber(ARGV[1]), head)
if keep <= base then
  redis.call('UNLINK', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'n', keep)
  return 0
end
local some = math.max(1, math.min(head - keep, 500, math.floor(DROP_BYTES / math.max(tonumber(widest or 0) or FRAME_BYTES_UNKNOWN, 1))))
local dropped = head > keep and redis.call('RPOP', KEYS[2], some) or {}
for _, frame in ipairs(dropped) do
  if #frame >= HEAD then redis.call('HDEL', KEYS[3], id_of(frame)) end
end
head = #dropped > 0 and head - #dropped or keep
redis.call('HSET', KEYS[1], 'n', head)
return head - keep
