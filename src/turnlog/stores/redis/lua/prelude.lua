-- Stands before every script. A conversation's keys share the hash tag {tenant/id}:
--   h  header (hash): c created, u updated, o user, t title, g tags, m metadata, p parent, b parent_seq, n head,
--      r revision, e epoch, a archived, v version, d deleted, x seqs whose erasure has not reached every fork yet
--   l  records above b, in order of seq (list of frames, see frame.py)      i  packed id -> seq (hash; see widen)
--   s  fold and version -> 'watermark epoch state' (hash)                   f  fork -> 'parent_seq now' (hash)
-- Metadata and bodies are bytes here; they are never decoded.
local WIDE = 128
local NOTHING = string.rep('\0', 8)
local FIELDS = {'c', 'u', 'o', 't', 'g', 'm', 'p', 'b', 'n', 'r', 'e', 'a', 'v', 'd'}

local function digest_of(frame) return string.sub(frame, 10, 17) end
local function time_of(frame) return string.sub(frame, 2, 9) end
local function tokens_of(frame)
  local a, b, c, d = string.byte(frame, 22, 25)
  return a + 256 * (b + 256 * (c + 256 * d))
end
local function id_of(frame) return string.sub(frame, 31, 30 + string.byte(frame, 30)) end
local function later(a, b) if tonumber(a) > tonumber(b) then return a else return b end end

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
-- On one server (shard given) the lists are part of the write; in a cluster they follow it.
local function enlist(shard, tenant, id, updated, user, tags)
  if shard == '' then return end
  note(arrived, shard .. ':a', id)
  note(listed, shard .. ':u', updated, id)
  if not user and not tags then return end
  for _, key in ipairs(lists(tenant, user, tags)) do note(listed, key, updated, id) end
end

-- Writes what `enlist` noted.
local function write_lists()
  for key, entries in pairs(listed) do redis.call('ZADD', key, 'GT', unpack(entries)) end
  for key, ids in pairs(arrived) do redis.call('SADD', key, unpack(ids)) end
end

local function delist(shard, tenant, id, user, tags)
  if shard == '' then return end
  redis.call('ZREM', shard .. ':u', id)
  redis.call('ZREM', shard .. ':t', id)
  redis.call('SREM', shard .. ':a', id)
  for _, key in ipairs(lists(tenant, user, tags)) do redis.call('ZREM', key, id) end
end

-- A hash of few short fields is searched from end to end, of up to 512 by default. One long value makes it a table; before
-- that it takes a third of the memory.
local function widen(ids, before, after)
  if before < WIDE and after >= WIDE then redis.call('HSET', ids, '', string.rep('.', 65)) end
end

local function push(list, ids, frames, first)
  for n = 1, #frames, 500 do
    redis.call('RPUSH', list, unpack(frames, n, math.min(n + 499, #frames)))
  end
  for n, frame in ipairs(frames) do redis.call('HSET', ids, id_of(frame), first + n - 1) end
end
