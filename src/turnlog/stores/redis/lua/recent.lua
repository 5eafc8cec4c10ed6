-- KEYS h l s; ARGV tokens, limit, count of pinned, seqs pinned..., names of folds...
-- The header; the folds' states; the newest records kept here, from the last down to the first that makes them cost more than
-- tokens; what is left of tokens; the seq behind which nothing more is to be read; of the pinned ones kept here seq and record.
local header = redis.call('HMGET', KEYS[1], unpack(FIELDS))
if header[14] or not header[1] then return {header} end
local tokens, behind = tonumber(ARGV[1]), 0
local folds = 4 + tonumber(ARGV[3])
local states, frames, pinned = {}, {}, {}
for n = folds, #ARGV do
  local state = redis.call('HGET', KEYS[3], ARGV[n])
  states[#states + 1] = state
  if n == folds and state then
    local watermark, epoch = string.match(state, '^(%d+) (%d+) ')
    if epoch == header[11] then behind = tonumber(watermark) end
  end
end
local head, base = tonumber(header[9]), tonumber(header[8])
behind = math.max(behind, head - tonumber(ARGV[2]))
local last, floor = head, math.max(behind, base)
while last > floor and tokens >= 0 do
  local first = math.max(floor + 1, last - 49)
  local some = redis.call('LRANGE', KEYS[2], first - base - 1, last - base - 1)
  for n = #some, 1, -1 do
    if tokens < 0 then break end
    frames[#frames + 1] = some[n]
    tokens = tokens - tokens_of(some[n])
  end
  last = first - 1
end
for n = 4, folds - 1 do
  local seq = tonumber(ARGV[n])
  if seq > base and seq <= head - #frames then
    pinned[#pinned + 1] = seq
    pinned[#pinned + 1] = redis.call('LINDEX', KEYS[2], seq - base - 1)
  end
end
return {header, states, frames, tokens, behind, pinned}
