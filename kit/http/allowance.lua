-- One call's permission from a vendor's daily allowance.
-- KEYS: what the vendor told, the calls in flight.
-- ARGV: now, when the call counts as lost, its id, calls kept back, allowance assumed, seconds to believe;
-- then the ids of calls that are over.
-- Answers 1 (go), 0 (used up), 2 (wait until the first answer tells how much is left).
local now, lost, id = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local kept, assumed, believed = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for place = 7, #ARGV do
  redis.call('ZREM', KEYS[2], ARGV[place])
end
local flight = redis.call('ZCARD', KEYS[2])
local told = redis.call('HMGET', KEYS[1], 'used', 'max', 'at')
local used, max, at = tonumber(told[1] or 0), tonumber(told[2] or assumed), tonumber(told[3] or 0)
if at == 0 and flight > 0 then
  return 2
end
if at > 0 and used + flight + 1 > max - kept and (flight > 0 or now - at < believed) then
  return 0
end
redis.call('ZADD', KEYS[2], lost, id)
redis.call('EXPIRE', KEYS[2], 3600)
return 1
