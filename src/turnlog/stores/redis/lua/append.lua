-- Appends of many callers, each whole or not at all: to any conversations on one server, to one in a cluster.
-- KEYS h l i of each; ARGV of each: now, expect_head or '', flags, count of frames, frames...
-- Flags: c: in a cluster; f: ids of parents were looked for; w: write even if nothing is new, so that a WAIT that follows
-- covers the first append too. Answers with one for each: its new head if that and the frames tell all, else what happened.

-- The places of frames from `first` to `last`, and those that are new; or why they are refused.
local function sort_out(list, ids, head, base, first, last)
  local fresh, taken, places = {}, {}, {}
  for n = first, last do
    local frame = ARGV[n]
    local id = id_of(frame)
    local seq = taken[id] or tonumber(redis.call('HGET', ids, id) or nil)
    local there = frame
    if not seq then
      fresh[#fresh + 1] = frame
      seq = head + #fresh
      taken[id] = seq
    else
      there = seq > head and fresh[seq - head] or redis.call('LINDEX', list, seq - base - 1)
      if not there then return nil, {'torn', seq} end
      local digest = digest_of(there)
      if digest ~= digest_of(frame) and digest ~= NOTHING then return nil, {'reused', id, seq} end
    end
    places[#places + 1] = seq
    places[#places + 1] = time_of(there)
  end
  return fresh, places
end

local function append(header, list, ids, at, count)
  local head, base, updated, dead, parent, user, tags = unpack(redis.call('HMGET', header, 'n', 'b', 'u', 'd', 'p', 'o', 'g'))
  local now, expected, flags, frame = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 4]
  if dead then return {'dead'} end
  if not head then return {'gone'} end
  if parent and not string.find(flags, 'f') then return {'fork', parent, base} end
  local clustered, text, stored, places = string.find(flags, 'c'), head, 1, nil
  head, base = tonumber(head), tonumber(base)
  if count == 1 and expected == '' and redis.call('HSETNX', ids, id_of(frame), head + 1) == 1 then  -- the common case
    redis.call('RPUSH', list, frame)
  else
    local fresh
    fresh, places = sort_out(list, ids, head, base, at + 4, at + 3 + count)
    if not fresh then return places end
    stored = #fresh
    if stored > 0 and expected ~= '' and tonumber(expected) ~= head then return {'moved', head} end
    push(list, ids, fresh, head + 1)
  end
  if stored > 0 then
    updated = later(now, updated)
    redis.call('HSET', header, 'n', head + stored, 'u', updated)
    widen(ids, head - base, head + stored - base)
    if not clustered then
      local tenant, id = string.match(header, '{(.+)/(.+)}')
      enlist('tl:x:{' .. tenant .. '/0}', tenant, id, updated, user, tags)
    end
  elseif string.find(flags, 'w') then
    redis.call('HSET', header, 'n', text)
  end
  if stored == count and not clustered then return head + stored end
  return {'ok', head, stored, updated, user, tags, places or {head + 1, time_of(frame)}}
end

local answers, at = {}, 1
for n = 1, #KEYS, 3 do
  local count = tonumber(ARGV[at + 3])
  answers[#answers + 1] = append(KEYS[n], KEYS[n + 1], KEYS[n + 2], at, count)
  at = at + 4 + count
end
write_lists()
return answers
