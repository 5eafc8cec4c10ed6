-- KEYS one of those that the server keeps
return history()
