-- KEYS h s l i of a conversation that shows an erased message; ARGV shard, tenant, conversation, now, then for the one that
-- keeps the record: its place in the list, its seq, the tombstone; for a fork: its parent, its k, and epoch and history of
-- its parent. A fork that was made, or told, at that epoch or later has no snapshot from before.
local updated, dead, parent, user, tags, pending, number, widest, known =
  unpack(redis.call('HMGET', KEYS[1], 'u', 'd', 'p', 'o', 'g', 'x', 'k', 'w', 'z'))
if not updated then return {'gone'} end
updated = later(ARGV[4], updated)
if #ARGV == 8 then
  if parent ~= ARGV[5] or number ~= ARGV[6] then return {'gone'} end
  local since, of = string.match(known or '', '^(%d+) (%x*)$')
  if since and of == ARGV[8] and tonumber(since) >= tonumber(ARGV[7]) then return {'pending'} end
  redis.call('HSET', KEYS[1], 'z', ARGV[7] .. ' ' .. ARGV[8])
else
  local there = redis.call('LINDEX', KEYS[3], ARGV[5])
  if not there then return {'torn', tonumber(ARGV[6])} end
  local tombstone = ARGV[7]
  if #there >= HEAD then tombstone = string.sub(tombstone, 1, 33) .. string.sub(there, 34, 37) .. string.sub(tombstone, 38) end
  if there == tombstone then
    return {string.find(',' .. (pending or ''), ',' .. ARGV[6] .. ',', 1, true) and 'pending' or 'done'}
  end
  redis.call('HSETNX', KEYS[4], id_of(ARGV[7]), ARGV[6])
  redis.call('LSET', KEYS[3], ARGV[5], tombstone)
  if #tombstone > (tonumber(widest or 0) or FRAME_BYTES_UNKNOWN) then redis.call('HSET', KEYS[1], 'w', #tombstone) end
  if not string.find(',' .. (pending or ''), ',' .. ARGV[6] .. ',', 1, true) then
    redis.call('HSET', KEYS[1], 'x', (pending or '') .. ARGV[6] .. ',')
  end
end
redis.call('HSET', KEYS[1], 'u', updated)
redis.call('UNLINK', KEYS[2])
if not tonumber(redis.call('HGET', KEYS[1], 'e') or 0) then redis.call('HSET', KEYS[1], 'e', 0) end  -- it decayed
local epoch = redis.call('HINCRBY', KEYS[1], 'e', 1)
if dead then return {'pending', epoch} end
enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, tags)
write_lists()
return {'pending', epoch, updated, user, tags}
