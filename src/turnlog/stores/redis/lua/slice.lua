-- KEYS h l; ARGV base, first, last, bytes, newest or '': records that others show, from one end; whether bytes ended them
local widest = redis.call('HGET', KEYS[1], 'w')
local first, last = tonumber(ARGV[2]), tonumber(ARGV[3])
local frames, _, cut = take(KEYS[2], tonumber(ARGV[1]), first, last, tonumber(ARGV[4]), widest, ARGV[5] ~= '', nil)
return {frames, cut and 1 or 0}
