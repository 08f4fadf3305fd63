-- How many calls at once each worker may have under way, of one limit, until it says so again.
-- KEYS: each worker's slots as "held:expires at", in milliseconds of the server's clock.
-- ARGV: the worker, how many it wants to hold, the limit, milliseconds until they come back by themselves.
-- Answers how many it holds now.
local worker, wanted, limit, live = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HGETALL', KEYS[1])
local others = 0
for i = 1, #known, 2 do
  if known[i] ~= worker then
    local held, expires = string.match(known[i + 1], '(%d+):(%d+)')
    if tonumber(expires) <= now then
      redis.call('HDEL', KEYS[1], known[i])
    else
      others = others + held
    end
  end
end
local held = math.max(0, math.min(wanted, limit - others))
if held > 0 then
  redis.call('HSET', KEYS[1], worker, string.format('%d:%d', held, now + live))
  redis.call('PEXPIRE', KEYS[1], live)
else
  redis.call('HDEL', KEYS[1], worker)
end
return held
