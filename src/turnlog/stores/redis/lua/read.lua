-- KEYS h l; ARGV after, before or '', limit, newest or '', bytes
-- The header, the first and last seq of the page, whether more follow, those of its records that are kept here in order of
-- seq, what is left of bytes, and whether bytes ended them.
local header = header_of(KEYS[1])
if header[14] or not header[1] then return {header} end
local head, base = tonumber(header[9]), tonumber(header[8])
local first, last = tonumber(ARGV[1]) + 1, head
if ARGV[2] ~= '' then last = math.min(tonumber(ARGV[2]) - 1, head) end
local limit = tonumber(ARGV[3])
local more = last - first + 1 > limit
if more and ARGV[4] ~= '' then first = last - limit + 1 elseif more then last = first + limit - 1 end
local frames, left, cut = {}, tonumber(ARGV[5]), false
if last >= first and last > base then
  local here, backwards = math.max(first, base + 1), ARGV[4] ~= ''
  if base == 0 and (last - here + 1) * (tonumber(header[16]) or FRAME_BYTES_UNKNOWN) <= left then  -- the common case: all fit
    frames = redis.call('LRANGE', KEYS[2], here - 1, last - 1)
  else
    frames, left, cut = take(KEYS[2], base, here, last, left, header[16], backwards, 16)
    if backwards then frames = reversed(frames) end
  end
end
return {header, first, last, more and 1 or 0, frames, left, cut and 1 or 0}
