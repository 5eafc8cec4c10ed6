-- The statements of the PostgreSQL store that are no functions, each under its name.

-- name: create
-- the log; nothing if it is there, or if names are hashed under another secret by now
WITH made AS (
    INSERT INTO turnlog.conversation (log, created_at, updated_at, touched, head, parent_seq, epoch, weight, origin, version, archived,
        tenant, id, user_id, title, labels, metadata, tokens)
    SELECT $1, $2, $3, turnlog.touched_1($3), $4, 0, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        (SELECT coalesce(sum(($16::int8[])[5 * n - 1]), 0)::int8 FROM generate_series(1, cardinality($16::int8[]) / 5) AS n) FROM turnlog.schema
    WHERE secret = $15
    ON CONFLICT DO NOTHING RETURNING log
), stored AS (
    INSERT INTO turnlog.message (log, created_at, mark, seq, checksum, total, tokens, version, digest, id, body)
    SELECT made.log, v[5 * n - 4], v[5 * n - 3], n, v[5 * n - 2], sum(v[5 * n - 1]) OVER (ORDER BY n), v[5 * n - 1], v[5 * n], r.digest, r.name, r.body
    FROM made, unnest($17::bytea[], $18::bytea[], $19::bytea[]) WITH ORDINALITY AS r(name, digest, body, n),
        LATERAL (SELECT $16::int8[]) AS numbers(v)
)
SELECT log, turnlog.begin_write_1(10000) FROM made;

-- name: read
SELECT * FROM turnlog.read_1($1, $2, $3, $4, $5, $6, $7, $8);

-- name: recent
SELECT * FROM turnlog.recent_1($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: update
SELECT * FROM turnlog.update_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: fork
SELECT * FROM turnlog.fork_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: redact
SELECT * FROM turnlog.redact_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: move_epoch
SELECT * FROM turnlog.move_epoch_1($1, $2, $3, $4, $5);

-- name: delete
SELECT * FROM turnlog.delete_1($1, $2, $3, $4, $5);

-- name: purge
SELECT * FROM turnlog.purge_1($1, $2, $3, $4, $5);

-- name: purging
SELECT log FROM turnlog.conversation WHERE purging ORDER BY log;

-- name: save_snapshot
SELECT * FROM turnlog.save_snapshot_1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: drop_snapshots
SELECT * FROM turnlog.drop_snapshots_1($1, $2, $3, $4, $5, $6);

-- name: load_snapshot
SELECT c.deleted, s.watermark, s.epoch, s.state
FROM turnlog.conversation AS c
LEFT JOIN turnlog.snapshot AS s ON s.log = c.log AND s.fold = $4 AND s.version = $5
WHERE c.log = $1 AND c.tenant = $2 AND c.id = $3;

-- name: list
SELECT turnlog.header_1(c, (SELECT turnlog.era_1(incarnation) FROM turnlog.schema)) FROM turnlog.conversation AS c WHERE c.tenant = $1 AND NOT c.deleted;

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
SELECT turnlog.begin_write_1(10000) FROM turnlog.schema FOR SHARE;
