-- Stands before every script. A conversation's keys share the hash tag {tenant/id}:
--   h  header (hash): c created, u updated, o user, t title, g tags, m metadata, p parent, b parent_seq, n head,
--      r revision, e epoch, a archived, v version, d deleted, k random number of this conversation (16 hexadecimal digits),
--      w most bytes of a frame that l ever held, s tokens of all messages, x seqs whose erasure has not reached every fork yet, y see adopt,
--      z 'epoch history' of the parent, up to which this fork knows of the erasures there
--   l  records above b, in order of seq (list of frames, see record_format.py)      i  packed id -> seq (hash; see widen)
--   s  fold and version -> 'watermark epoch state' (hash)                   f  'k fork' -> parent_seq (hash)
--   q  k of conversations that may come to be here -> 1 (hash; decision 022)
-- Metadata and bodies are bytes here; they are never decoded.
local WIDE = 128
local HEAD = 38  -- bytes of a frame before its id, see record_format.py
local ERASED = string.rep('\0', 16)
local NUMBER_MAX = 2 ^ 53
local CLOCK_SKEW_MAX_US = 86400000000
local FRAME_BYTES_UNKNOWN = 1048576
local DROP_BYTES = 8388608
local FIELDS = {'c', 'u', 'o', 't', 'g', 'm', 'p', 'b', 'n', 'r', 'e', 'a', 'v', 'd', 'k', 'w', 's'}

local function digest_of(frame) return string.sub(frame, 10, 25) end
local function time_of(frame) return string.sub(frame, 2, 9) end
local function tokens_of(frame)
  local a, b, c, d = string.byte(frame, 30, 33)
  return d and a + 256 * (b + 256 * (c + 256 * d)) or 0
end
-- The tokens of a conversation up to a frame stand in it, cut to 32 bits; a redaction leaves them (decision 058).
local function with_total(frame, total)
  if #frame < HEAD then return frame end
  return string.sub(frame, 1, 33) .. struct.pack('<I4', total % 4294967296) .. string.sub(frame, 38)
end
local function id_of(frame) return string.sub(frame, HEAD + 1, HEAD + string.byte(frame, HEAD)) end
local function weight_of(frame) return #frame - HEAD - (string.byte(frame, HEAD) or 0) end

-- When a conversation was touched last, see stores/append.py.
local function later(now, stored)
  local ahead = (tonumber(stored or 0) or 0) - tonumber(now)
  if ahead < 0 or ahead > CLOCK_SKEW_MAX_US then return now end
  return stored
end

-- What names the history of this server's data: new after each restart and each failover. It is asked for in the script that
-- reads, since a server may stop and start to be a primary between two calls on one connection (decision 023).
local function history()
  local told = redis.pcall('INFO', 'replication')
  return type(told) == 'string' and string.match(told, 'master_replid:(%x+)') or ''
end

-- The fields of a header, then the history.
local function header_of(key)
  local header = redis.call('HMGET', key, unpack(FIELDS))
  if header[1] and not header[14] then header[18] = history() end
  return header
end

local function message_of(failure) return type(failure) == 'table' and failure.err or tostring(failure) end

-- Frames from `first` to `last` of a list that begins behind `base`, from the one end or the other, up to the one that makes
-- their bodies weigh more than `budget`, which only the first may; what is left of the budget, and whether it ended them. Reads no more at a time than `budget` holds of the largest frame (decision 024), and no more than
-- `times_max` times, since each walks through the list.
local function take(list, base, first, last, budget, widest, backwards, times_max)
  widest = math.max(tonumber(widest) or FRAME_BYTES_UNKNOWN, 1)
  local frames, times = {}, 0
  while first <= last do
    if times == times_max then return frames, budget, true end
    times = times + 1
    local count = math.max(1, math.min(last - first + 1, math.floor(budget / widest)))
    local low = backwards and last - count + 1 or first
    local some = redis.call('LRANGE', list, low - base - 1, low + count - base - 2)
    for n = 1, #some do
      local frame = some[backwards and #some - n + 1 or n]
      local left = budget - weight_of(frame)
      if left < 0 and #frames > 0 then return frames, budget, true end
      frames[#frames + 1] = frame
      budget = left
    end
    if #some < count then return frames, budget, false end
    if backwards then last = last - count else first = first + count end
  end
  return frames, budget, false
end

local function reversed(frames)
  local turned, count = {}, #frames
  for n, frame in ipairs(frames) do turned[count - n + 1] = frame end
  return turned
end

-- The lists that hold a conversation beside its shard's: its user's, and one for each tag (tags are joined by newlines).
local function lists(tenant, user, tags)
  local keys = {}
  if user then keys[1] = 'tl:u:' .. tenant .. '/' .. user end
  for tag in string.gmatch(tags or '', '[^\n]+') do keys[#keys + 1] = 'tl:g:' .. tenant .. '/' .. tag end
  return keys
end

local listed, arrived = {}, {}

local function note(notes, key, value, more)
  local list = notes[key]
  if not list then notes[key] = {value, more} return end
  list[#list + 1] = value
  list[#list + 1] = more
end

-- A conversation was written to: notes its place by time, in its tenant's shard (u) and elsewhere, and that it arrived (a).
-- On one server (shard given) the lists are part of the write; in a cluster they are written beside it.
local function enlist(shard, tenant, id, updated, user, tags)
  if shard == '' then return end
  note(arrived, shard .. ':a', id)
  note(listed, shard .. ':u', updated, id)
  if not user and not tags then return end
  for _, key in ipairs(lists(tenant, user, tags)) do note(listed, key, updated, id) end
end

-- Writes what `enlist` noted; nil, or by key what an unusable list said.
local function write_lists()
  local failed
  for command, notes in pairs({ZADD = listed, SADD = arrived}) do
    for key, entries in pairs(notes) do
      local said = redis.pcall(command, key, unpack(entries))
      if type(said) == 'table' then
        failed = failed or {}
        failed[key] = message_of(said)
      end
    end
  end
  return failed
end

-- A list that cannot be used holds nothing.
local function delist(shard, tenant, id, user, tags)
  if shard == '' then return end
  redis.pcall('ZREM', shard .. ':u', id)
  redis.pcall('ZREM', shard .. ':t', id)
  redis.pcall('SREM', shard .. ':a', id)
  for _, key in ipairs(lists(tenant, user, tags)) do redis.pcall('ZREM', key, id) end
end

-- A hash of few short fields is searched from end to end, of up to 512 by default. One long value makes it a table; before
-- that it takes a third of the memory.
local function widen(ids, before, after)
  if before < WIDE and after >= WIDE then redis.call('HSET', ids, '', string.rep('.', 65)) end
end

-- Puts frames behind the last record, which is the one at `first` - 1. Raises, and changes nothing, where the list has not as
-- many records as the header says: what comes after a gap would be shown at wrong seqs.
local function push(list, ids, frames, first, base)
  for n = 1, #frames, 500 do
    local last = math.min(n + 499, #frames)
    local length = redis.call('RPUSH', list, unpack(frames, n, last))
    if length ~= first - 1 - base + last then
      redis.call('LTRIM', list, 0, -1 - last)
      error({err = 'TORN ' .. string.format('%d', base + length - last + 1)})
    end
  end
  for n, frame in ipairs(frames) do redis.call('HSET', ids, id_of(frame), first + n - 1) end
end

local function widest_of(frames, widest)
  for _, frame in ipairs(frames) do widest = math.max(widest, #frame) end
  return widest
end
