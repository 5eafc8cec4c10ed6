-- KEYS h; ARGV shard, tenant, conversation, now, expect_revision or '', expect_head or '', then field and value of each
-- change; an empty value takes the field away
local head, revision, updated, dead, user, tags = unpack(redis.call('HMGET', KEYS[1], 'n', 'r', 'u', 'd', 'o', 'g'))
if dead then return {'dead'} end
if not head then return {'gone'} end
if ARGV[5] ~= '' and ARGV[5] ~= revision then return {'revised', tonumber(revision or 0) or 0} end
if ARGV[6] ~= '' and ARGV[6] ~= head then return {'moved', tonumber(head) or 0} end
local new = tags
for n = 7, #ARGV, 2 do if ARGV[n] == 'g' then new = ARGV[n + 1] end end
updated, revision = later(ARGV[4], updated), (tonumber(revision or 0) or 0) + 1
delist(ARGV[1], ARGV[2], ARGV[3], user, tags)
enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, new)
local failed = write_lists()
if failed then return {'failed', select(2, next(failed))} end
for n = 7, #ARGV, 2 do
  if ARGV[n + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[n]) else redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1]) end
end
redis.call('HSET', KEYS[1], 'r', revision, 'u', updated)
return {'ok', header_of(KEYS[1]), tags}
