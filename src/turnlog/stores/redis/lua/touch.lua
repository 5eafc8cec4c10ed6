-- KEYS u t n of a shard; ARGV shard, conversation, updated
touch(ARGV[1], ARGV[2], ARGV[3])
