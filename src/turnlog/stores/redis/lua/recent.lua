-- KEYS h l s; ARGV tokens, limit, bytes, count of pinned, seqs pinned..., names of folds...
-- The header; the folds' states; the newest records kept here, from the last down to the first that makes them cost more than
-- tokens or weigh more than bytes; what is left of tokens; the seq behind which nothing more is to be read; of the pinned ones
-- kept here seq and record; what is left of bytes; whether bytes ended the records.
local header = header_of(KEYS[1])
if header[14] or not header[1] then return {header} end
local tokens, left, behind, cut = tonumber(ARGV[1]), tonumber(ARGV[3]), 0, false
local folds = 5 + tonumber(ARGV[4])
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
local widest = math.max(tonumber(header[16]) or FRAME_BYTES_UNKNOWN, 1)
local fits = base == 0 and (last - floor) * widest <= left  -- the common case: nothing is to be weighed
while last > floor and tokens >= 0 and not cut do
  local first = math.max(floor + 1, last - math.min(50, math.max(1, math.floor(left / widest))) + 1)
  local some = redis.call('LRANGE', KEYS[2], first - base - 1, last - base - 1)
  for n = #some, 1, -1 do
    local frame = some[n]
    if not fits then
      left = left - weight_of(frame)
      if left < 0 and #frames > 0 then cut = true break end
    end
    frames[#frames + 1] = frame
    tokens = tokens - tokens_of(frame)
    if tokens < 0 then break end
  end
  last = first - 1
end
for n = 5, folds - 1 do
  local seq = tonumber(ARGV[n])
  if seq > base and seq <= head - #frames then
    pinned[#pinned + 1] = seq
    pinned[#pinned + 1] = redis.call('LINDEX', KEYS[2], seq - base - 1)
  end
end
return {header, states, frames, tokens, behind, pinned, left, cut and 1 or 0}
