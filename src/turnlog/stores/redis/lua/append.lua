-- Appends of many callers, each whole or not at all: to any conversations on one server, to one in a cluster.
-- KEYS h l i of each; ARGV of each: now, expect_head or '', flags, count of frames, frames...
-- Flags: c: in a cluster; f: ids of parents were looked for; w: write even if nothing is new, so that a WAIT that follows
-- covers the first append too. Answers with one for each: its new head if that and the frames tell all, else what happened.
-- What one conversation's data does to its append stays with it: a script that raises is not undone, so each member is
-- caught on its own, and each raises before it writes or takes back what it wrote.

-- The places of frames from `first` to `last`, and those that are new; or why they are refused.
local function sort_out(list, ids, head, base, first, last)
  local fresh, taken, places = {}, {}, {}
  for n = first, last do
    local frame = ARGV[n]
    local id = id_of(frame)
    local known = taken[id] or redis.call('HGET', ids, id)
    local seq, there = tonumber(known or nil), frame
    if not known then
      fresh[#fresh + 1] = frame
      seq = head + #fresh
      taken[id] = seq
    elseif not seq then
      error('the place of an id is no number')
    else
      there = fresh[seq - head] or (seq > base and redis.call('LINDEX', list, seq - base - 1))
      if not there or #there < HEAD then return nil, {'torn', seq} end
      local digest = digest_of(there)
      if digest ~= digest_of(frame) and digest ~= ERASED then return nil, {'reused', id, seq} end
    end
    places[#places + 1] = seq
    places[#places + 1] = time_of(there)
  end
  return fresh, places
end

-- One new frame, which is the common case: with the fewest commands. False if it is not new.
local function add_one(list, ids, frame, head, base)
  local id = id_of(frame)
  if redis.call('HSETNX', ids, id, head + 1) == 0 then return false end
  local length = redis.pcall('RPUSH', list, frame)
  if length == head + 1 - base then return true end
  redis.call('HDEL', ids, id)
  if type(length) ~= 'number' then error(length) end
  redis.call('RPOP', list)
  error({err = 'TORN ' .. string.format('%d', base + length)})
end

local function append(header, list, ids, at, count)
  local head, base, updated, dead, parent, user, tags, widest, total =
    unpack(redis.call('HMGET', header, 'n', 'b', 'u', 'd', 'p', 'o', 'g', 'w', 's'))
  local now, expected, flags, frame = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 4]
  if dead then return {'dead'} end
  if not head then return {'gone'} end
  if parent and not string.find(flags, 'f') then return {'fork', parent, base} end
  local clustered, text, stored, places, large = string.find(flags, 'c'), head, 1, nil, nil
  total = tonumber(total or 0) or 0
  head, base, widest = tonumber(head), tonumber(base or nil), tonumber(widest or 0) or FRAME_BYTES_UNKNOWN
  if not (head and base and tonumber(updated or nil)) or head < base or head + count > NUMBER_MAX then
    error('its header is damaged')
  end
  if count == 1 and expected == '' and add_one(list, ids, with_total(frame, total + tokens_of(frame)), head, base) then
    large, total = #frame, total + tokens_of(frame)
  else
    local fresh
    fresh, places = sort_out(list, ids, head, base, at + 4, at + 3 + count)
    if not fresh then return places end
    stored = #fresh
    if stored > 0 and expected ~= '' and tonumber(expected) ~= head then return {'moved', head} end
    for n, added in ipairs(fresh) do
      total = total + tokens_of(added)
      fresh[n] = with_total(added, total)
    end
    push(list, ids, fresh, head + 1, base)
    large = widest_of(fresh, 0)
  end
  if stored > 0 then
    updated = later(now, updated)
    if large > widest then
      redis.call('HSET', header, 'n', head + stored, 'u', updated, 's', total, 'w', large)
    else
      redis.call('HSET', header, 'n', head + stored, 'u', updated, 's', total)
    end
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

-- Who is in a list that could not be written is told; what they appended is stored, and a repeat says so.
local function blame(failed, answers)
  for list, why in pairs(failed) do
    local names = {}
    for _, entry in ipairs(listed[list] or arrived[list]) do names[entry] = true end
    for n, answer in ipairs(answers) do
      local tenant, id = string.match(KEYS[3 * n - 2], '{(.+)/(.+)}')
      local at = string.sub(list, 1, 5) == 'tl:x:' and 7 or 6
      if names[id] and string.sub(list, at, at + #tenant) == tenant .. '/' then answers[n] = {'failed', why} end
    end
  end
end

local answers, at = {}, 1
for n = 1, #KEYS, 3 do
  local count = tonumber(ARGV[at + 3])
  local done, answer = pcall(append, KEYS[n], KEYS[n + 1], KEYS[n + 2], at, count)
  if not done then
    local why = message_of(answer)
    local kind = string.match(why, '^(%u+) ')
    if kind and kind ~= 'WRONGTYPE' and kind ~= 'TORN' and kind ~= 'ERR' then  -- about the server, not the conversation
      write_lists()
      error({err = why})
    end
    answer = {'failed', why}
  end
  answers[#answers + 1] = answer
  at = at + 4 + count
end
local failed = write_lists()
if failed then blame(failed, answers) end
return answers
