-- KEYS u a of a shard; ARGV shard, conversation, updated
enlist(ARGV[1], '', ARGV[2], ARGV[3])
write_lists()
