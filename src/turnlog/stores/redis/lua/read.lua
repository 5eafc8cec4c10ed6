-- KEYS h l; ARGV after, before or '', limit, newest or ''
-- The header, the first and last seq of the page, whether more follow, and those of its records that are kept here.
local header = redis.call('HMGET', KEYS[1], unpack(FIELDS))
if header[14] or not header[1] then return {header} end
local head, base = tonumber(header[9]), tonumber(header[8])
local first, last = tonumber(ARGV[1]) + 1, head
if ARGV[2] ~= '' then last = math.min(tonumber(ARGV[2]) - 1, head) end
local limit = tonumber(ARGV[3])
local more = last - first + 1 > limit
if more and ARGV[4] ~= '' then first = last - limit + 1 elseif more then last = first + limit - 1 end
local frames = {}
if last >= first and last > base then
  frames = redis.call('LRANGE', KEYS[2], math.max(first - base, 1) - 1, last - base - 1)
end
return {header, first, last, more and 1 or 0, frames}
