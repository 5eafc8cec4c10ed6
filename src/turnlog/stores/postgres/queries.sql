-- The statements of the PostgreSQL store that are no functions, each under its name.

-- name: create
-- the log; nothing if it is there
WITH made AS (
    INSERT INTO turnlog.conversation (log, created_at, updated_at, touched, head, parent_seq, epoch, version, archived, tenant, id,
        user_id, title, labels, metadata)
    VALUES ($1, $2, $3, turnlog.touched_1($3), $4, 0, 0, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT DO NOTHING RETURNING log
), stored AS (
    INSERT INTO turnlog.message (log, created_at, digest, mark, seq, tokens, checksum, version, id, body)
    SELECT made.log, v[6 * n - 5], v[6 * n - 4], v[6 * n - 3], n, v[6 * n - 2], v[6 * n - 1], v[6 * n], r.name, r.body
    FROM made, unnest($14::bytea[], $15::bytea[]) WITH ORDINALITY AS r(name, body, n), LATERAL (SELECT $13::int8[]) AS numbers(v)
)
SELECT log, turnlog.begin_1() FROM made;

-- name: read
SELECT * FROM turnlog.read_1($1, $2, $3, $4, $5, $6, $7);

-- name: recent
SELECT * FROM turnlog.recent_1($1, $2, $3, $4, $5, $6, $7, $8);

-- name: update
SELECT * FROM turnlog.update_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: fork
SELECT * FROM turnlog.fork_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: redact
SELECT * FROM turnlog.redact_1($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: delete
SELECT * FROM turnlog.delete_1($1, $2, $3, $4);

-- name: save_snapshot
SELECT * FROM turnlog.save_snapshot_1($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: load_snapshot
SELECT c.deleted, s.watermark, s.epoch, s.state
FROM turnlog.conversation AS c
LEFT JOIN turnlog.snapshot AS s ON s.log = c.log AND s.fold = $4 AND s.version = $5
WHERE c.log = $1 AND c.tenant = $2 AND c.id = $3;

-- name: list
SELECT turnlog.header_1(c) FROM turnlog.conversation AS c WHERE c.tenant = $1 AND NOT c.deleted;

-- name: stale
SELECT c.id, c.head, coalesce(s.watermark, 0), c.epoch
FROM turnlog.conversation AS c
LEFT JOIN turnlog.snapshot AS s ON s.log = c.log AND s.fold = $2 AND s.version = $3
WHERE c.tenant = $1 AND NOT c.deleted AND c.touched >= ($5::int8 >> 28) AND c.updated_at >= $5 AND c.head > coalesce(s.watermark, 0)
ORDER BY c.touched, c.updated_at, c.id LIMIT $4;

-- name: beyond
-- rows that the header does not tell of
SELECT m.seq FROM turnlog.conversation AS c
JOIN turnlog.message AS m ON m.log = c.log AND (m.seq > c.head OR m.seq <= c.parent_seq)
WHERE c.log = $1 ORDER BY m.seq LIMIT 100;

-- name: ping
-- takes a row lock, which is written and committed like any change
SELECT pre FROM turnlog.schema FOR SHARE;
