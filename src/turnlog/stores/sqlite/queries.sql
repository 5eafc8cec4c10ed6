-- The statements of the SQLite store, each under its name.

-- name: look
-- ?1: JSON [[tenant, id], …], ?2: JSON [[place in ?1, message id], …];
-- JSON [[[place in ?1, n, incarnation, head, deleted, parent], …], [[place in ?2, seq, digest, created_at], …]] of those that are there, parents'
-- messages included
WITH RECURSIVE found (place, n, incarnation, head, deleted, parent) AS MATERIALIZED (
    SELECT j.key, c.n, c.incarnation, c.head, c.deleted, c.parent
    FROM json_each(?1) AS j JOIN conversation AS c ON c.tenant = j.value ->> 0 AND c.id = j.value ->> 1
),
chain (place, id, n, upto) AS (
    SELECT j.key, j.value ->> 1, found.n, found.head FROM json_each(?2) AS j JOIN found ON found.place = j.value ->> 0
    UNION ALL
    SELECT chain.place, chain.id, c.parent, min(chain.upto, c.parent_seq)
    FROM chain JOIN conversation AS c ON c.n = chain.n
    WHERE c.parent < c.n
)
SELECT json_array(
    json((SELECT json_group_array(json_array(place, n, incarnation, head, deleted, parent)) FROM found)),
    json((SELECT json_group_array(json_array(chain.place, m.seq, hex(m.digest), m.created_at))
     FROM chain
     CROSS JOIN message_id AS i ON i.id = chain.id AND i.conversation = chain.n
     CROSS JOIN message AS m ON m.n = i.message AND m.seq <= chain.upto))
);

-- name: add_conversation
INSERT INTO conversation (tenant, id, user_id, created_at, updated_at, active, archived, parent, parent_seq, head, version, title, tags, metadata, epoch, last, tokens)
VALUES (?1, ?2, ?3, ?4, ?5, ?5 >> 16, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, coalesce((SELECT total FROM message WHERE n = ?15), 0))
RETURNING n;

-- name: add_tags
-- ?1: n, ?2: tenant, ?3: JSON [tag, …]
INSERT OR IGNORE INTO conversation_tag SELECT ?2, value, ?1 FROM json_each(?3);

-- name: drop_tags
DELETE FROM conversation_tag WHERE tenant = ?2 AND conversation = ?1 AND tag IN (SELECT value FROM json_each(?3));

-- name: drop_all_tags
DELETE FROM conversation_tag WHERE tenant = ?2 AND conversation = ?1;

-- name: header
-- what is asked of `store` is asked apart: a join with it takes 60 µs more, since it leaves the statement with a row to come
SELECT (SELECT post FROM store), c.n, c.deleted, c.last, (SELECT incarnation FROM store), c.incarnation, c.id, c.created_at,
       c.updated_at, c.user_id, c.title, c.tags, c.metadata, (SELECT p.id FROM conversation AS p WHERE p.n = c.parent),
       c.parent_seq, c.head, c.revision, c.epoch, c.archived, c.version, c.tokens
FROM conversation AS c
WHERE c.tenant = ? AND c.id = ?;

-- name: header_bytes
-- the same with bytes in the place of text, for what decayed so far that it is no text
SELECT (SELECT post FROM store), c.n, c.deleted, c.last, (SELECT incarnation FROM store), c.incarnation, CAST(c.id AS BLOB),
       c.created_at, c.updated_at, CAST(c.user_id AS BLOB), CAST(c.title AS BLOB), CAST(c.tags AS BLOB),
       CAST(c.metadata AS BLOB), (SELECT CAST(p.id AS BLOB) FROM conversation AS p WHERE p.n = c.parent), c.parent_seq, c.head,
       c.revision, c.epoch, c.archived, c.version, c.tokens
FROM conversation AS c
WHERE c.tenant = ? AND c.id = CAST(? AS TEXT);

-- name: ids
SELECT CAST(id AS BLOB) FROM conversation WHERE tenant = ? AND id >= ? ORDER BY id;

-- name: begin
-- where to begin a walk down to seq ?2 of ?1: the row and the seq of the nearest mark at or above that, parents' marks included
WITH RECURSIVE chain (n, upto) AS (
    SELECT ?1, 0xFFFFFFFF
    UNION ALL
    SELECT c.parent, min(chain.upto, c.parent_seq)
    FROM chain JOIN conversation AS c ON c.n = chain.n
    WHERE c.parent < c.n
)
SELECT mark.message, mark.seq FROM chain
JOIN mark ON mark.conversation = chain.n
    AND mark.seq = (SELECT min(m.seq) FROM mark AS m WHERE m.conversation = chain.n AND m.seq BETWEEN ?2 AND chain.upto)
ORDER BY mark.seq LIMIT 1;

-- name: down
-- the rows with ?3 <= seq <= ?4, from the last down; the walk begins at row ?1, which is at seq ?2
WITH RECURSIVE walk (n, seq) AS (
    SELECT ?1, ?2
    UNION ALL
    SELECT (SELECT prev FROM message WHERE n = walk.n), seq - 1 FROM walk WHERE seq > ?3 AND n IS NOT NULL
)
SELECT m.id, m.created_at, m.tokens, m.body, m.digest, m.checksum, m.version, walk.seq, m.seq
FROM walk CROSS JOIN message AS m ON m.n = walk.n
WHERE walk.seq <= ?4;

-- name: up
-- the same rows from the first up; LIMIT keeps the inner order from being taken for idle
WITH RECURSIVE walk (n, seq) AS (
    SELECT ?1, ?2
    UNION ALL
    SELECT (SELECT prev FROM message WHERE n = walk.n), seq - 1 FROM walk WHERE seq > ?3 AND n IS NOT NULL
)
SELECT m.id, m.created_at, m.tokens, m.body, m.digest, m.checksum, m.version, w.seq, m.seq
FROM (SELECT n, seq FROM walk WHERE seq <= ?4 ORDER BY seq LIMIT -1) AS w CROSS JOIN message AS m ON m.n = w.n;

-- name: recent
-- the rows with ?3 <= seq from row ?1, which is at seq ?2, down to the first that makes them cost more than ?4
WITH RECURSIVE walk (n, seq, prev, rest) AS (
    SELECT n, ?2, prev, ?4 - tokens FROM message WHERE n = ?1
    UNION ALL
    SELECT m.n, walk.seq - 1, m.prev, walk.rest - m.tokens
    FROM walk CROSS JOIN message AS m ON m.n = walk.prev
    WHERE walk.seq > ?3 AND walk.rest >= 0
)
SELECT m.id, m.created_at, m.tokens, m.body, m.digest, m.checksum, m.version, walk.seq, m.seq
FROM walk CROSS JOIN message AS m ON m.n = walk.n;

-- name: row_at
-- the row at seq ?3; the walk begins at row ?1, which is at seq ?2
WITH RECURSIVE walk (n, seq) AS (
    SELECT ?1, ?2
    UNION ALL
    SELECT (SELECT prev FROM message WHERE n = walk.n), seq - 1 FROM walk WHERE seq > ?3 AND n IS NOT NULL
)
SELECT m.n, CAST(m.id AS BLOB), m.created_at, m.tokens, m.body, m.digest, m.checksum, m.version
FROM walk CROSS JOIN message AS m ON m.n = walk.n WHERE walk.seq = ?3;

-- name: owner
-- the conversation in which the message at seq ?2 of ?1 was written
WITH RECURSIVE chain (n, above) AS (
    SELECT n, iif(parent IS NULL, 0, parent_seq) FROM conversation WHERE n = ?1
    UNION ALL
    SELECT p.n, iif(p.parent IS NULL, 0, p.parent_seq)
    FROM chain JOIN conversation AS c ON c.n = chain.n JOIN conversation AS p ON p.n = c.parent
    WHERE chain.above >= ?2 AND p.n < c.n
)
SELECT n FROM chain WHERE above < ?2;

-- name: update_header
UPDATE conversation SET title = ?2, tags = ?3, metadata = ?4, archived = ?5, revision = revision + 1 WHERE n = ?1;

-- name: touch
-- as `decide.later` says
UPDATE conversation
SET updated_at = iif(updated_at - ?2 > 86400000000, ?2, max(updated_at, ?2)),
    active = iif(updated_at - ?2 > 86400000000, ?2, max(updated_at, ?2)) >> 16
WHERE n = ?1;

-- name: blank_row
UPDATE message
SET conversation = ?2, seq = ?3, id = ?4, created_at = ?5, tokens = ?6, body = ?7, digest = ?8, checksum = ?9, version = ?10
WHERE n = ?1;

-- name: name_row
INSERT INTO message_id VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: shows
-- every conversation that shows the message at seq ?2 of ?1, which was written there
WITH RECURSIVE shows (n) AS (
    SELECT ?1
    UNION
    SELECT c.n FROM shows JOIN conversation AS c ON c.parent = shows.n AND c.parent_seq >= ?2
)
SELECT n FROM shows;

-- name: next_epoch
UPDATE conversation SET epoch = epoch + 1 WHERE n = ?;

-- name: drop_snapshots
DELETE FROM snapshot WHERE conversation = ?;

-- name: drop_versions
DELETE FROM snapshot WHERE conversation = ? AND fold = ? AND version < ?;

-- name: bury
-- the header of a deleted conversation keeps nothing but its id and its place among forks
UPDATE conversation
SET deleted = 1, user_id = NULL, title = NULL, tags = '[]', metadata = '{}', archived = 0, created_at = 0, updated_at = ?2,
    tokens = 0, epoch = epoch + 1
WHERE n = ?1;

-- name: to_trim
-- the dead conversations that have rows to drop
SELECT n FROM conversation WHERE deleted = 1 LIMIT 1;

-- name: trimmed
UPDATE conversation SET deleted = 2 WHERE n = ?;

-- name: again
-- a dead parent may shrink now
UPDATE conversation SET deleted = 1 WHERE n = ? AND deleted <> 0 RETURNING n;

-- name: still_shown
-- up to which seq living forks, or dead ones that living forks read through, show the log of ?1
SELECT coalesce(max(CASE deleted WHEN 0 THEN parent_seq ELSE min(parent_seq, head) END), 0) FROM conversation WHERE parent = ?1;

-- name: own_rows
-- up to ?3 rows that ?1 wrote above seq ?2, from the last down; what forks and erasures may have left is no part of it
WITH RECURSIVE walk (n) AS (
    SELECT last FROM conversation WHERE n = ?1
    UNION ALL
    SELECT m.prev FROM walk CROSS JOIN message AS m ON m.n = walk.n WHERE m.seq > ?2 + 1 AND m.conversation = ?1 AND m.prev < m.n
    LIMIT ?3
)
SELECT m.n, m.prev, m.seq FROM walk CROSS JOIN message AS m ON m.n = walk.n WHERE m.conversation = ?1 AND m.seq > ?2;

-- name: all_own_rows
-- up to ?3 rows that ?1 wrote above seq ?2, all if that is 0, from the last down, whatever points to them: a look at every row
SELECT n, prev, seq FROM message WHERE conversation = ?1 AND (seq > ?2 OR ?2 = 0) ORDER BY n DESC LIMIT ?3;

-- name: drop_all_ids
DELETE FROM message_id WHERE conversation = ?;

-- name: to_trim_again
-- dead conversations of which rows are left that no fork shows; their heads tell `trim` to look at every row
UPDATE conversation SET deleted = 1, head = max(head, parent_seq) + 1, last = NULL
WHERE deleted = 2 AND n IN (
    SELECT m.conversation FROM message AS m CROSS JOIN conversation AS d ON d.n = m.conversation
    WHERE d.deleted = 2 AND (m.seq > d.head OR d.head = 0)
);

-- name: drop_rows
-- ?1: JSON [row, …]
DELETE FROM message WHERE n IN (SELECT value FROM json_each(?1));

-- name: highest
SELECT max(n) FROM message;

-- name: hold_place
-- so that the number of the row is not taken again
UPDATE message
SET conversation = 0, seq = 0, prev = NULL, created_at = 0, tokens = 0, version = 0, digest = x'', checksum = 0, id = '', body = x''
WHERE n = ?1;

-- name: drop_place
DELETE FROM message WHERE n = (SELECT placeholder FROM store) AND conversation = 0;

-- name: note_place
UPDATE store SET placeholder = ?;

-- name: drop_ids
-- ?1: JSON [row, …] of conversation ?2
DELETE FROM message_id WHERE (id, conversation) IN (
    SELECT m.id, ?2 FROM json_each(?1) AS j CROSS JOIN message AS m ON m.n = j.value
);

-- name: drop_marks
DELETE FROM mark WHERE conversation = ? AND seq > ?;

-- name: cut
UPDATE conversation SET head = ?2, last = ?3 WHERE n = ?1;

-- name: grave
SELECT deleted, parent, parent_seq, head, last FROM conversation WHERE n = ?;

-- name: snapshot
SELECT watermark, epoch, state FROM snapshot WHERE conversation = ? AND fold = ? AND version = ?;

-- name: save_snapshot
INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET watermark = excluded.watermark, epoch = excluded.epoch, state = excluded.state;

-- name: stale
SELECT c.id, c.head, coalesce(s.watermark, 0), c.epoch
FROM conversation AS c INDEXED BY conversation_by_time
LEFT JOIN snapshot AS s ON s.conversation = c.n AND s.fold = ?2 AND s.version = ?3
WHERE c.tenant = ?1 AND c.deleted = 0 AND c.active >= ?5 >> 16 AND c.updated_at >= ?5 AND c.head > coalesce(s.watermark, 0)
ORDER BY c.active, c.updated_at, c.id LIMIT ?4;

-- name: stale_bytes
-- the same with the bytes of the id
SELECT CAST(c.id AS BLOB), c.head, coalesce(s.watermark, 0), c.epoch
FROM conversation AS c INDEXED BY conversation_by_time
LEFT JOIN snapshot AS s ON s.conversation = c.n AND s.fold = ?2 AND s.version = ?3
WHERE c.tenant = ?1 AND c.deleted = 0 AND c.active >= ?5 >> 16 AND c.updated_at >= ?5 AND c.head > coalesce(s.watermark, 0)
ORDER BY c.active, c.updated_at, c.id LIMIT ?4;

-- name: by_id
SELECT message FROM message_id WHERE id = ? AND conversation = ?;

-- name: all_rows
-- ?1: n; every row that it wrote, from the last down
WITH RECURSIVE walk (n) AS (
    SELECT last FROM conversation WHERE n = ?1
    UNION ALL
    SELECT m.prev FROM walk CROSS JOIN message AS m ON m.n = walk.n WHERE m.conversation = ?1 AND m.prev < m.n
)
SELECT CAST(m.id AS BLOB), m.created_at, m.tokens, m.body, m.digest, m.checksum, m.version, m.seq, m.n, m.conversation
FROM walk CROSS JOIN message AS m ON m.n = walk.n;
