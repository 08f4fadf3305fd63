-- A moving window that remembers batches: how much was taken within the last so many milliseconds.
-- KEYS: the batches (newest first, each "taken at:amount"), their sum.
-- ARGV: limit, window in milliseconds, amount to take; nothing is taken where it does not fit, or where it is 0.
-- The time is the server's own, so that the workers' clocks do not matter.
-- Answers whether it was taken, what is taken in all, and the age of the oldest batch in milliseconds.
local limit, window, amount = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local sum = tonumber(redis.call('GET', KEYS[2]) or 0)
local oldest = redis.call('LINDEX', KEYS[1], -1)
local age, forgot = 0, false
while oldest do
  local at, size = string.match(oldest, '(%d+):(%d+)')
  age = now - at
  if age <= window then
    break
  end
  redis.call('RPOP', KEYS[1])
  sum, forgot = sum - size, true
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local taken = amount > 0 and sum + amount <= limit
if taken then
  redis.call('LPUSH', KEYS[1], string.format('%d:%d', now, amount))
  redis.call('PEXPIRE', KEYS[1], window + 1000)
  sum = sum + amount
end
if taken or forgot then
  redis.call('SET', KEYS[2], string.format('%d', sum), 'PX', window + 1000)
end
if not oldest then
  age = 0
end
return {taken and 1 or 0, sum, age}
