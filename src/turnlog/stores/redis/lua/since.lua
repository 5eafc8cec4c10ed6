-- KEYS h: which erasures a fork knows of that is told of all there are now
return {redis.call('HGET', KEYS[1], 'e') or 0, history()}
