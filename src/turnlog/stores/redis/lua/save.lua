-- KEYS h s; ARGV fold, expect_watermark, epoch, state with its watermark and epoch before it
local head, epoch, dead = unpack(redis.call('HMGET', KEYS[1], 'n', 'e', 'd'))
if dead then return {'dead'} end
if not head then return {'gone'} end
local watermark, of = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^(%d+) (%d+) ')
if not watermark or tonumber(of) < tonumber(epoch) then watermark = '0' end
if watermark ~= ARGV[2] or epoch ~= ARGV[3] then return {'moved', tonumber(watermark), tonumber(epoch or 0) or 0} end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[4])
return {'ok'}
