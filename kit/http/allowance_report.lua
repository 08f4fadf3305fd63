-- A call came back, perhaps with what the vendor counts.
-- KEYS: what the vendor told, the calls in flight. ARGV: now, the call's id, used (-1: not told), max.
redis.call('ZREM', KEYS[2], ARGV[2])
local now, used, max = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
local before = redis.call('HMGET', KEYS[1], 'used', 'max', 'at')
local counted = tonumber(before[1] or 0)
if used < 0 then
  used = counted + 1
  max = tonumber(before[2] or max)
elseif used < counted and tonumber(before[2] or 0) == max and now - tonumber(before[3] or 0) < 60 then
  used = counted -- an answer that was overtaken by a later one
end
redis.call('HSET', KEYS[1], 'used', used, 'max', max, 'at', now)
redis.call('EXPIRE', KEYS[1], 172800)
return used
