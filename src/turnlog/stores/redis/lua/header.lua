-- KEYS h
return header_of(KEYS[1])
