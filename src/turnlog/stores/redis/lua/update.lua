-- KEYS h; ARGV shard, tenant, conversation, now, expect_revision or '', expect_head or '', then field and value of each
-- change; an empty value takes the field away
local head, revision, updated, dead, user, tags = unpack(redis.call('HMGET', KEYS[1], 'n', 'r', 'u', 'd', 'o', 'g'))
if dead then return {'dead'} end
if not head then return {'gone'} end
if ARGV[5] ~= '' and ARGV[5] ~= revision then return {'revised', tonumber(revision)} end
if ARGV[6] ~= '' and ARGV[6] ~= head then return {'moved', tonumber(head)} end
for n = 7, #ARGV, 2 do
  if ARGV[n + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[n]) else redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1]) end
end
updated = later(ARGV[4], updated)
redis.call('HSET', KEYS[1], 'r', revision + 1, 'u', updated)
delist(ARGV[1], ARGV[2], ARGV[3], user, tags)
local header = redis.call('HMGET', KEYS[1], unpack(FIELDS))
enlist(ARGV[1], ARGV[2], ARGV[3], updated, header[3], header[5])
write_lists()
return {'ok', header, tags}
