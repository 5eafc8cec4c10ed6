-- KEYS h l i; ARGV shard, tenant, conversation, now, expect_head or '', flags (f: ids of parents were looked for;
-- w: write even if nothing is new, so that a WAIT that follows covers the first append too), frames...
local head, base, updated, dead, parent, user, tags = unpack(redis.call('HMGET', KEYS[1], 'n', 'b', 'u', 'd', 'p', 'o', 'g'))
if dead then return {'dead'} end
if not head then return {'gone'} end
if parent and not string.find(ARGV[6], 'f') then return {'fork', parent, base} end
local text = head
head, base = tonumber(head), tonumber(base)
if #ARGV == 7 and ARGV[5] == '' and redis.call('HSETNX', KEYS[3], id_of(ARGV[7]), head + 1) == 1 then  -- the common case
  redis.call('RPUSH', KEYS[2], ARGV[7])
  updated = later(ARGV[4], updated)
  redis.call('HSET', KEYS[1], 'n', head + 1, 'u', updated)
  enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, tags)
  if ARGV[1] ~= '' then return head + 1 end
  return {'ok', head, 1, updated, user, tags, {head + 1, time_of(ARGV[7])}}
end
local fresh, taken, answer = {}, {}, {}
for n = 7, #ARGV do
  local frame = ARGV[n]
  local id = id_of(frame)
  local seq = taken[id] or tonumber(redis.call('HGET', KEYS[3], id) or nil)
  local there = frame
  if not seq then
    fresh[#fresh + 1] = frame
    seq = head + #fresh
    taken[id] = seq
  else
    there = seq > head and fresh[seq - head] or redis.call('LINDEX', KEYS[2], seq - base - 1)
    if not there then return redis.error_reply('TORN the record at seq ' .. seq .. ' is missing') end
    local digest = digest_of(there)
    if digest ~= digest_of(frame) and digest ~= NOTHING then return {'reused', id, seq} end
  end
  answer[#answer + 1] = seq
  answer[#answer + 1] = time_of(there)
end
local replayed = #fresh * 2 < #answer
if #fresh > 0 then
  if ARGV[5] ~= '' and tonumber(ARGV[5]) ~= head then return {'moved', head} end
  updated = later(ARGV[4], updated)
  push(KEYS[2], KEYS[3], fresh, head + 1)
  redis.call('HSET', KEYS[1], 'n', head + #fresh, 'u', updated)
  enlist(ARGV[1], ARGV[2], ARGV[3], updated, user, tags)
elseif string.find(ARGV[6], 'w') then
  redis.call('HSET', KEYS[1], 'n', text)
end
if ARGV[1] ~= '' and not replayed then return head + #fresh end
return {'ok', head, #fresh, updated, user, tags, answer}
