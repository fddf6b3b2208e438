#!lua name=sms_mockserver

-- What several servers with one store agree on. A *change* is an entry of the log with the next index. Each server
-- applies the entries in their order to a memory of its own, so that all memories are alike. A *checkpoint* at an index
-- has in rows what all entries up to it have made of the state, so that older entries can go.
--
-- Keys, all of one slot:
--   meta      hash: format, generation, run, settings, boot, head, checkpoint, trimmed, sequence, bytes, trimmed_bytes
--   log       stream: the entries after `trimmed`, each with the id of its index
--   calls     hash: by index the entries that are calls, until they make room
--   ends      hash: by index how sending a call's response ended
--   rows      hash: the state at the checkpoint
--   versions  sorted set: by name of something that decisions rely on the index of its last change
--   boots     hash: by a server process of Redis that has ended the index that it left
-- The log's name is also the channel on which new indexes are told.

local META, LOG, CALLS, ENDS, ROWS, VERSIONS, BOOTS = 1, 2, 3, 4, 5, 6, 7
local MOST_ENTRIES = 1000 -- of a reply
local LEFT_OUT = 10000 -- indexes after a start of Redis: it may have lost changes that had them, and none comes twice

local function number_of(text)
  return tonumber(text or '0')
end

-- args: format, settings, generation, run, boot. Begins a store where there is none.
-- Returns generation, run, format and settings as they are.
local function open(keys, args)
  if redis.call('EXISTS', keys[META]) == 0 then
    redis.call('DEL', keys[LOG], keys[CALLS], keys[ENDS], keys[ROWS], keys[VERSIONS], keys[BOOTS])
    redis.call('HSET', keys[META], 'format', args[1], 'settings', args[2], 'generation', args[3], 'run', args[4],
      'boot', args[5])
  end
  return redis.call('HMGET', keys[META], 'generation', 'run', 'format', 'settings')
end

-- args: the boot that now is, and of a server of ours: generation, boot, and the index that it has come to.
-- Returns 'ok', or 'lost' and the index up to which its memory is still true.
local function resume(keys, args)
  local generation, boot, head = unpack(redis.call('HMGET', keys[META], 'generation', 'boot', 'head'))
  local seen = tonumber(args[4])
  if generation ~= args[2] then
    return {'lost', 0}
  end
  if boot ~= args[1] then
    redis.call('HSET', keys[BOOTS], boot, number_of(head))
    head = number_of(head) + LEFT_OUT
    redis.call('HSET', keys[META], 'boot', args[1], 'head', head)
  end
  if args[3] == args[1] then
    return {'ok', seen}
  end
  local left = number_of(redis.call('HGET', keys[BOOTS], args[3]))
  if seen <= left then
    return {'ok', seen}
  end
  if seen > number_of(head) then
    redis.call('HSET', keys[META], 'head', seen) -- as above
  end
  return {'lost', left}
end

-- Takes the next argument each time.
local function reader(args)
  local at = 0
  return function()
    at = at + 1
    return args[at]
  end
end

local function names(next_arg)
  local found = {}
  for number = 1, tonumber(next_arg()) do
    found[number] = next_arg()
  end
  return found
end

-- Whether nothing that a change relies on has changed after an index.
local function is_current(versions, since, relied_on)
  for _, name in ipairs(relied_on) do
    local version = redis.call('ZSCORE', versions, name)
    if version and tonumber(version) > since then
      return false
    end
  end
  return true
end

-- args: generation, boot, who asks, the index that it has come to, how many numbers of the sequence it takes, how many
-- bytes of entries may wait for a checkpoint; then how many calls have ended, each as index and end; then how many
-- changes there are, each as: 'call' or '', the index that it was decided at, the names that it relies on, those that
-- it gives another version, the entry.
-- Returns 'ok', the index before, the time, the first number, the checkpoint, the entries that the asker has not seen,
-- and for each change its index, 0 where it was decided by what has changed, or -1 where there is no room.
-- Returns 'lost', 'restarted' or 'behind' where the asker's memory is not what the store's was, and 'more' with entries
-- where too many are unseen; nothing is done then.
local function turn(keys, args)
  local meta = redis.call('HMGET', keys[META], 'generation', 'boot', 'head', 'trimmed', 'checkpoint', 'bytes',
    'trimmed_bytes')
  local next_arg = reader(args)
  if meta[1] ~= next_arg() then
    return {'lost'}
  end
  if meta[2] ~= next_arg() then
    return {'restarted'}
  end
  local head, trimmed = number_of(meta[3]), number_of(meta[4])
  local asker, seen = next_arg(), tonumber(next_arg())
  if seen < trimmed then
    return {'behind'}
  end
  local unseen = {}
  if seen < head then
    unseen = redis.call('XRANGE', keys[LOG], (seen + 1) .. '-0', '+', 'COUNT', MOST_ENTRIES)
    if #unseen == MOST_ENTRIES then
      return {'more', unseen}
    end
  end

  local taken, first = tonumber(next_arg()), 0
  if taken > 0 then
    first = redis.call('HINCRBY', keys[META], 'sequence', taken) - taken
  end
  local room = tonumber(next_arg()) - number_of(meta[6]) + number_of(meta[7])
  for _ = 1, tonumber(next_arg()) do
    local index, ended = next_arg(), next_arg()
    if redis.call('HEXISTS', keys[CALLS], index) == 1 then
      redis.call('HSET', keys[ENDS], index, ended)
    end
  end

  local results, index, added = {}, head, 0
  for number = 1, tonumber(next_arg()) do
    local kind, since = next_arg(), tonumber(next_arg())
    local relied_on, changed, entry = names(next_arg), names(next_arg), next_arg()
    if since < trimmed or not is_current(keys[VERSIONS], since, relied_on) then
      results[number] = 0
    elseif added + #entry > room then
      results[number] = -1
    else
      index = index + 1
      added = added + #entry
      redis.call('XADD', keys[LOG], index .. '-0', 'e', entry)
      if kind == 'call' then
        redis.call('HSET', keys[CALLS], index, entry)
      end
      for _, name in ipairs(changed) do
        redis.call('ZADD', keys[VERSIONS], index, name)
      end
      results[number] = index
    end
  end
  if index > head then
    redis.call('HSET', keys[META], 'head', index)
    redis.call('HINCRBY', keys[META], 'bytes', added)
    redis.call('PUBLISH', keys[LOG], index .. ' ' .. asker)
  end
  return {'ok', head, redis.call('TIME'), first, number_of(meta[5]), unseen, results}
end

-- args: generation, the checkpoint that there is, the next one; how many calls have made room, and their indexes; how
-- many rows are gone, and their names; then rows as name and value.
-- Entries up to the checkpoint before go: whoever has not seen them reads the state anew. Returns 1 if it was done.
local function checkpoint(keys, args)
  local meta = redis.call('HMGET', keys[META], 'generation', 'checkpoint', 'bytes', 'checkpoint_bytes')
  local next_arg = reader(args)
  local before = number_of(meta[2])
  if meta[1] ~= next_arg() or before ~= tonumber(next_arg()) then
    return 0
  end
  redis.call('HSET', keys[META], 'checkpoint', next_arg(), 'checkpoint_bytes', number_of(meta[3]),
    'trimmed', before, 'trimmed_bytes', number_of(meta[4]))
  for _, index in ipairs(names(next_arg)) do
    redis.call('HDEL', keys[CALLS], index)
    redis.call('HDEL', keys[ENDS], index)
  end
  for _, name in ipairs(names(next_arg)) do
    redis.call('HDEL', keys[ROWS], name)
  end
  local name = next_arg()
  while name do
    redis.call('HSET', keys[ROWS], name, next_arg())
    name = next_arg()
  end
  redis.call('XTRIM', keys[LOG], 'MINID', (before + 1) .. '-0')
  redis.call('ZREMRANGEBYSCORE', keys[VERSIONS], '-inf', before)
  return 1
end

redis.register_function('sms_mockserver_open', open)
redis.register_function('sms_mockserver_resume', resume)
redis.register_function('sms_mockserver_turn', turn)
redis.register_function('sms_mockserver_checkpoint', checkpoint)
