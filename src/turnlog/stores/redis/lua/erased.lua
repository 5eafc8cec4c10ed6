-- KEYS h s l of a conversation that shows an erased message; ARGV shard, tenant, conversation, now, then for the one that
-- keeps the record: its place in the list, its seq, the tombstone; for a fork: its parent
local updated, dead, parent, user, tags, pending, epoch = unpack(redis.call('HMGET', KEYS[1], 'u', 'd', 'p', 'o', 'g', 'x', 'e'))
if not updated then return {'gone'} end
if #ARGV == 5 then
  if parent ~= ARGV[5] then return {'gone'} end
else
  local there = redis.call('LINDEX', KEYS[3], ARGV[5])
  if not there then return redis.error_reply('TORN the record at seq ' .. ARGV[6] .. ' is missing') end
  if digest_of(there) == NOTHING then
    return {string.find(',' .. (pending or ''), ',' .. ARGV[6] .. ',', 1, true) and 'pending' or 'done', epoch, updated, user, tags}
  end
  redis.call('LSET', KEYS[3], ARGV[5], ARGV[7])
  redis.call('HSET', KEYS[1], 'x', (pending or '') .. ARGV[6] .. ',')
end
updated = later(ARGV[4], updated)
redis.call('HSET', KEYS[1], 'u', updated)
redis.call('DEL', KEYS[2])
if not dead then enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, tags) end
write_lists()
return {'pending', redis.call('HINCRBY', KEYS[1], 'e', 1), updated, user, tags}
