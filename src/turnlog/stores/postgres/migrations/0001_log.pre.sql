-- The log: headers, rows that are only ever added, and the snapshots of folds.
--
-- `log` names a conversation in every table: 64 bits of a hash of (tenant, id), which the client computes. It is the key that
-- every table can be distributed by: no row needs to know one of another log to be stored. Messages are partitioned by it, too;
-- headers are few, and an UPDATE of a partitioned table prepares itself for each partition, which costs as much as the rest.
-- `log` and `mark` are hashed under the secret in turnlog.schema, so that nobody can search for names that collide (decision 014).

CREATE TABLE turnlog.conversation (
    log        int8    NOT NULL,
    created_at int8    NOT NULL,                        -- times are microseconds since 1970 UTC
    updated_at int8    NOT NULL,
    head       int8    NOT NULL,
    parent_seq int8    NOT NULL,
    revision   int8    NOT NULL DEFAULT 1,
    epoch      int8    NOT NULL,
    tokens     int8    NOT NULL,                        -- `total` of the last message
    weight     int8    NOT NULL,                        -- bytes of all bodies together, at most: what is little needs no counting
    origin     int8    NOT NULL,                        -- random, made with the conversation: its part of the incarnation
    -- updated_at in units of 4.5 minutes: listings are sorted by this index column first, so that most appends change no
    -- indexed column and need no new index entries (a generated column would cost each of them 20 us)
    touched    int4    NOT NULL,
    version    int4    NOT NULL,
    archived   boolean NOT NULL DEFAULT false,
    deleted    boolean NOT NULL DEFAULT false,
    purging    boolean NOT NULL DEFAULT false,          -- deleted, and rows that nobody shows may be left
    tenant     text    NOT NULL COLLATE "C",
    id         text    NOT NULL COLLATE "C",
    user_id    text    COLLATE "C",
    title      text,
    labels     text[]  NOT NULL COLLATE "C",            -- tags, each behind its tenant and a slash
    metadata   text    NOT NULL,                        -- JSON
    parent     text    COLLATE "C",
    -- whose rows a fork shows before its own, nearest first: those of sources[1] up to seq uptos[1], behind uptos[2]; and so on
    sources    int8[],
    uptos      int8[],
    PRIMARY KEY (log)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX conversation_by_user ON turnlog.conversation (tenant, user_id, touched) WHERE NOT deleted AND user_id IS NOT NULL;
CREATE INDEX conversation_by_time ON turnlog.conversation (tenant, touched) WHERE NOT deleted;
CREATE INDEX conversation_by_label ON turnlog.conversation USING gin (labels) WHERE NOT deleted AND labels <> '{}';
CREATE INDEX conversation_by_source ON turnlog.conversation USING gin (sources) WHERE sources IS NOT NULL;
CREATE INDEX conversation_purging ON turnlog.conversation (log) WHERE purging;

-- Widest columns first, so that none needs padding.
CREATE TABLE turnlog.message (
    log        int8  NOT NULL,
    created_at int8  NOT NULL,
    mark       int8  NOT NULL,                          -- 64 bits of a hash of id: a narrower index than id itself would need
    seq        int8  NOT NULL,
    checksum   int8  NOT NULL,
    total      int8  NOT NULL,                          -- tokens of the log up to here; a redaction leaves it (decision 058)
    tokens     int4  NOT NULL,
    version    int2  NOT NULL,
    digest     bytea NOT NULL,                          -- 16 bytes; as two int8 an append cost 10 % more
    id         bytea NOT NULL,                          -- 16 bytes for a UUID, else its text
    body       bytea NOT NULL,                          -- canonical JSON
    PRIMARY KEY (log, seq)
) PARTITION BY HASH (log);

CREATE UNIQUE INDEX message_by_id ON turnlog.message (log, mark);

CREATE TABLE turnlog.snapshot (
    log       int8  NOT NULL,
    version   int8  NOT NULL,
    watermark int8  NOT NULL,
    epoch     int8  NOT NULL,
    fold      text  NOT NULL COLLATE "C",
    state     bytea NOT NULL,
    PRIMARY KEY (log, fold, version)
);

CREATE TABLE turnlog.message_0 PARTITION OF turnlog.message FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE turnlog.message_1 PARTITION OF turnlog.message FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE turnlog.message_2 PARTITION OF turnlog.message FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE turnlog.message_3 PARTITION OF turnlog.message FOR VALUES WITH (MODULUS 4, REMAINDER 3);

-- What people said is not sampled: ANALYZE would keep it where no erasure finds it, and pg_stats would show it.
ALTER TABLE turnlog.message ALTER id SET STATISTICS 0, ALTER body SET STATISTICS 0, ALTER digest SET STATISTICS 0;
ALTER TABLE turnlog.snapshot ALTER state SET STATISTICS 0;
ALTER TABLE turnlog.conversation ALTER user_id SET STATISTICS 0, ALTER title SET STATISTICS 0, ALTER labels SET STATISTICS 0,
    ALTER metadata SET STATISTICS 0;

CREATE FUNCTION turnlog.touched_1(updated_at int8) RETURNS int4 LANGUAGE sql IMMUTABLE AS $$ SELECT (updated_at >> 28)::int4 $$;

-- Functions carry the version of their interface in their names: while old and new code run together, each calls its own.
-- They plan once per connection (also behind a pooler that keeps no prepared statements).
-- What they answer: state 0 done, 1 no such conversation, 2 deleted, 3 exists, 4 head moved (to a), 5 revision moved (to a),
-- 6 no such message, 7 snapshot moved (watermark a, epoch b).
CREATE TYPE turnlog.answer_1 AS (state int4, a int8, b int8, header text);

-- What tells this history of the store from another that had the same beginning: the number in turnlog.schema, new by `mark_restored`; the
-- number of the table, new in a dump that was loaded; the timeline, new after a failover and a recovery to a point in time.
CREATE FUNCTION turnlog.era_1(incarnation int8) RETURNS int8 LANGUAGE plpgsql STABLE AS $$
DECLARE
    timeline int8;
BEGIN
    IF pg_is_in_recovery() THEN
        timeline := (SELECT timeline_id FROM pg_control_checkpoint());
    ELSE                                                   -- at once the new one, where the control file lags behind a promotion
        timeline := ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int8;
    END IF;
    RETURN incarnation # hashint8extended('turnlog.conversation'::regclass::oid::int8 << 32 | timeline, 0);
END
$$;

-- The tags of a conversation, in their order.
CREATE FUNCTION turnlog.tags_1(labels text[], tenant text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY(SELECT substr(t, length(tenant) + 2) FROM unnest(labels) WITH ORDINALITY AS l(t, n) ORDER BY n)
$$;

-- What the client reads as a `Header`. Metadata is a text in it: what decayed there must not fail whoever lists headers. There is
-- no sub-select in it, so that it is inlined where it is called: as a call of its own it takes twice the time.
CREATE FUNCTION turnlog.header_1(c turnlog.conversation, era int8) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', c.id, 'created_at', c.created_at, 'updated_at', c.updated_at, 'user_id', c.user_id, 'title', c.title,
        'tags', CASE WHEN c.labels = '{}' THEN '{}' ELSE turnlog.tags_1(c.labels, c.tenant) END,
        'stored_metadata', c.metadata, 'parent', c.parent, 'parent_seq', c.parent_seq, 'head', c.head, 'revision', c.revision,
        'epoch', c.epoch, 'archived', c.archived, 'version', c.version, 'tokens', c.tokens, 'incarnation', lpad(to_hex(c.origin # era), 16, '0'))::text
$$;

-- `stores/append.py: later`: the later of two times, but for a stored one that lies more than a day ahead.
CREATE FUNCTION turnlog.later_1(stored int8, now int8) RETURNS int8 LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN stored > now + 86400000000 THEN now ELSE greatest(stored, now) END
$$;

-- What holds for the rest of the transaction: a generic plan by index, even if a table was tiny when it was made; no endless wait
-- for a lock. Where nobody pools sessions, a connection says both once. (A SET clause of each function costs ten times as much.)
CREATE FUNCTION turnlog.begin_1() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('enable_seqscan') = 'on' THEN
        PERFORM set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
            set_config('lock_timeout', '10s', true);
    END IF;
END
$$;

-- The same for whoever writes; and: a commit that is on disk, whatever the server's default is; at most _wait milliseconds for a
-- lock. What it reads behind a lock has to be what is there then, so no transaction may stand on an older snapshot: a connection
-- asks for `read committed`, and a pooler that keeps that from the server is noticed here (decision 014).
CREATE FUNCTION turnlog.begin_write_1(_wait int4) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION USING ERRCODE = 'T0002', MESSAGE = 'transactions are ' || current_setting('transaction_isolation')
            || ' here, and turnlog needs read committed: set default_transaction_isolation so for its role';
    END IF;
    PERFORM turnlog.begin_1();
    PERFORM set_config('lock_timeout', _wait::text, true);
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

-- The same for appends, whose plans also have to find rows in the order of their index: that is the order of locking.
CREATE FUNCTION turnlog.begin_append_1() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM turnlog.begin_write_1(200);
    IF current_setting('enable_bitmapscan') = 'on' THEN
        PERFORM set_config('enable_bitmapscan', 'off', true);
    END IF;
END
$$;

-- Appends to conversations that are no forks, of records that are all new: what nearly every append is, in two steps. When it is
-- not like that, it raises T0001 (what it names are the logs that are not) or a violation of message_by_id, and nothing is written.
-- _counts, _nows, _expects: for each conversation how many records it gets, the latest time, the head that is expected (-1: any).
-- _weights: how many bytes. _sums: how many tokens. _ahead: what was touched later than that needs care, for its clock was wrong
-- (`later`). _numbers: eight for each record: its conversation and its place among the new ones there (both from 1 on), the tokens
-- of those up to it, created_at, mark, checksum, tokens, version.
-- The answer: the head of each conversation before.
-- Rows are locked in the order of log, in which an index scan looks up `= ANY`.
CREATE FUNCTION turnlog.append_fresh_1(
    _logs int8[], _tenants text[], _ids text[], _counts int8[], _nows int8[], _expects int8[], _weights int8[],
    _sums int8[], _ahead int8, _numbers int8[], _names bytea[], _digests bytea[], _bodies bytea[])
RETURNS int8[] LANGUAGE plpgsql
AS $$
DECLARE
    olds int8[];
    befores int8[];
    moved int8[];
BEGIN
    IF current_setting('enable_bitmapscan') = 'on' OR current_setting('synchronous_commit') = 'off' THEN
        PERFORM turnlog.begin_append_1();
    END IF;
    WITH changed AS (
        UPDATE turnlog.conversation AS c
        SET head = c.head + _counts[array_position(_logs, c.log)], weight = c.weight + _weights[array_position(_logs, c.log)],
            tokens = c.tokens + _sums[array_position(_logs, c.log)],
            updated_at = greatest(c.updated_at, _nows[array_position(_logs, c.log)]),
            touched = turnlog.touched_1(greatest(c.updated_at, _nows[array_position(_logs, c.log)]))
        WHERE c.log = ANY (_logs) AND NOT c.deleted AND c.sources IS NULL AND c.updated_at <= _ahead
          AND c.tenant = _tenants[array_position(_logs, c.log)] AND c.id = _ids[array_position(_logs, c.log)]
          AND _expects[array_position(_logs, c.log)] IN (-1, c.head)
        RETURNING c.log, array_position(_logs, c.log) AS n, c.head, c.tokens
    )
    SELECT array_agg(head - _counts[n] ORDER BY n), array_agg(tokens - _sums[n] ORDER BY n), array_agg(log)
    INTO olds, befores, moved FROM changed;
    IF cardinality(olds) IS DISTINCT FROM cardinality(_logs) THEN
        RAISE EXCEPTION USING ERRCODE = 'T0001',
            MESSAGE = (SELECT string_agg(l::text, ' ') FROM unnest(_logs) AS l WHERE (l <> ALL (moved)) IS NOT FALSE);
    END IF;
    INSERT INTO turnlog.message (log, created_at, mark, seq, checksum, total, tokens, version, digest, id, body)
    SELECT _logs[_numbers[8 * n - 7]], _numbers[8 * n - 4], _numbers[8 * n - 3],
        olds[_numbers[8 * n - 7]] + _numbers[8 * n - 6], _numbers[8 * n - 2], befores[_numbers[8 * n - 7]] + _numbers[8 * n - 5],
        _numbers[8 * n - 1], _numbers[8 * n], digest, name, body
    FROM unnest(_names, _digests, _bodies) WITH ORDINALITY AS r(name, digest, body, n);
    RETURN olds;
END
$$;

-- `append_fresh` for one record alone.
CREATE FUNCTION turnlog.append_one_1(
    _log int8, _tenant text, _id text, _now int8, _expect int8,
    _created int8, _mark int8, _checksum int8, _tokens int4, _version int2, _name bytea, _digest bytea, _body bytea)
RETURNS int8[] LANGUAGE plpgsql
AS $$
DECLARE
    _head int8;
    _total int8;
BEGIN
    IF current_setting('enable_bitmapscan') = 'on' OR current_setting('synchronous_commit') = 'off' THEN
        PERFORM turnlog.begin_append_1();
    END IF;
    UPDATE turnlog.conversation
    SET head = head + 1, tokens = tokens + _tokens, weight = weight + octet_length(_body), updated_at = greatest(updated_at, _now), touched = turnlog.touched_1(greatest(updated_at, _now))
    WHERE log = _log AND tenant = _tenant AND id = _id AND NOT deleted AND sources IS NULL AND _expect IN (-1, head)
      AND updated_at <= _now + 86400000000
    RETURNING head, tokens INTO _head, _total;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'T0001', MESSAGE = _log::text;
    END IF;
    INSERT INTO turnlog.message (log, created_at, mark, seq, checksum, total, tokens, version, digest, id, body)
    VALUES (_log, _created, _mark, _head, _checksum, _total, _tokens, _version, _digest, _name, _body);
    RETURN ARRAY[_head - 1];
END
$$;

-- Appends to several conversations at once, each all or nothing, decided as `stores/append.py` decides.
-- _logs, _tenants, _ids: the conversations. _wait: so many milliseconds for a lock; 0: as the session says.
-- _appends: four numbers for each append: whose it is (from 1 on), its time, the head that it expects (-1: any; -2: store
-- nothing), its bytes. _numbers: six for each record: which append's it is (from 1 on), created_at, mark, checksum, tokens, version.
-- _names, _digests, _bodies: each record's id, digest and body; no id twice for one conversation.
-- heads: the head of each conversation before (-1: not there; -2: deleted); ats, ...: the records that were there already.
CREATE FUNCTION turnlog.append_1(
    _wait int4, _logs int8[], _tenants text[], _ids text[], _appends int8[], _numbers int8[], _names bytea[], _digests bytea[],
    _bodies bytea[],
    OUT heads int8[], OUT ats int8[], OUT seqs int8[], OUT digests text[], OUT times int8[])
LANGUAGE plpgsql
AS $$
DECLARE
    found record;
    forked boolean := false;
    special boolean;                                       -- not every append is simply stored
    refused int8[] := '{}';
    whose int8[];                                          -- for each record, its conversation
    places int8[];                                         -- for each record to store, its seq
    ends int8[];                                           -- for each conversation, its head afterwards
    sums int8[];                                           -- for each conversation, its tokens afterwards
    totals int8[];                                         -- for each record to store, the tokens up to it
    latest int8[];
    weights int8[];
    a int8;
    w int8;
BEGIN
    IF current_setting('enable_bitmapscan') = 'on' OR current_setting('synchronous_commit') = 'off' THEN
        PERFORM turnlog.begin_append_1();
    END IF;
    IF _wait > 0 THEN
        PERFORM set_config('lock_timeout', _wait::text, true);
    END IF;
    heads := array_fill(-1::int8, ARRAY[cardinality(_logs)]);
    sums := heads;
    FOR found IN
        SELECT array_position(_logs, c.log) AS place, c.head, c.tokens, c.deleted, c.sources IS NOT NULL AS forked
        FROM turnlog.conversation AS c
        WHERE c.log = ANY (_logs)
          AND c.tenant = _tenants[array_position(_logs, c.log)] AND c.id = _ids[array_position(_logs, c.log)]
        FOR NO KEY UPDATE
    LOOP
        heads[found.place] := CASE WHEN found.deleted THEN -2 ELSE found.head END;
        sums[found.place] := found.tokens;
        forked := forked OR found.forked;
    END LOOP;

    SELECT array_agg(r.n), array_agg(m.seq), array_agg(encode(m.digest, 'hex')), array_agg(m.created_at)
    INTO ats, seqs, digests, times
    FROM unnest(_names) WITH ORDINALITY AS r(name, n)
    CROSS JOIN LATERAL (
        SELECT * FROM turnlog.message AS t
        WHERE t.log = _logs[_appends[4 * _numbers[6 * r.n - 5] - 3]] AND t.mark = _numbers[6 * r.n - 3] AND t.id = r.name OFFSET 0
    ) AS m;

    IF forked THEN
        SELECT ats || array_agg(r.n), seqs || array_agg(m.seq), digests || array_agg(encode(m.digest, 'hex')),
               times || array_agg(m.created_at)
        INTO ats, seqs, digests, times
        FROM unnest(_names) WITH ORDINALITY AS r(name, n)
        CROSS JOIN LATERAL (
            SELECT * FROM turnlog.conversation AS t WHERE t.log = _logs[_appends[4 * _numbers[6 * r.n - 5] - 3]] OFFSET 0
        ) AS c
        CROSS JOIN LATERAL unnest(c.sources, c.uptos) AS s(log, upto)
        CROSS JOIN LATERAL (
            SELECT * FROM turnlog.message AS t
            WHERE t.log = s.log AND t.mark = _numbers[6 * r.n - 3] AND t.id = r.name AND t.seq <= s.upto OFFSET 0
        ) AS m;
    END IF;

    weights := array_fill(0::int8, ARRAY[cardinality(_logs)]);
    FOR n IN 1..cardinality(_appends) / 4 LOOP
        w := _appends[4 * n - 3];
        weights[w] := weights[w] + _appends[4 * n];
        IF _appends[4 * n - 1] = -2 OR _appends[4 * n - 1] >= 0 AND _appends[4 * n - 1] <> heads[w] THEN
            refused := refused || n::int8;
        END IF;
    END LOOP;
    IF ats IS NOT NULL THEN
        refused := refused || ARRAY(
            SELECT _numbers[6 * k.n - 5] FROM unnest(ats, digests) AS k(n, digest)
            WHERE k.digest NOT IN (repeat('0', 32), encode(_digests[k.n], 'hex')));
    END IF;

    special := ats IS NOT NULL OR refused <> '{}';
    whose := array_fill(NULL::int8, ARRAY[cardinality(_names)]);
    places := whose;
    totals := whose;
    latest := array_fill(0::int8, ARRAY[cardinality(_logs)]);
    ends := heads;
    FOR n IN 1..cardinality(_names) LOOP
        a := _numbers[6 * n - 5];
        w := _appends[4 * a - 3];
        CONTINUE WHEN heads[w] < 0 OR special AND (n = ANY (ats) OR a = ANY (refused));
        ends[w] := ends[w] + 1;
        latest[w] := greatest(latest[w], _appends[4 * a - 2]);
        whose[n] := w;
        places[n] := ends[w];
        sums[w] := sums[w] + _numbers[6 * n - 1];
        totals[n] := sums[w];
    END LOOP;

    INSERT INTO turnlog.message (log, created_at, mark, seq, checksum, total, tokens, version, digest, id, body)
    SELECT _logs[whose[n]], _numbers[6 * n - 4], _numbers[6 * n - 3], places[n], _numbers[6 * n - 2], totals[n],
        _numbers[6 * n - 1], _numbers[6 * n], digest, name, body
    FROM unnest(_names, _digests, _bodies) WITH ORDINALITY AS r(name, digest, body, n)
    WHERE places[n] IS NOT NULL;

    UPDATE turnlog.conversation AS c
    SET head = ends[array_position(_logs, c.log)], tokens = sums[array_position(_logs, c.log)], weight = c.weight + weights[array_position(_logs, c.log)], updated_at = turnlog.later_1(c.updated_at, latest[array_position(_logs, c.log)]),
        touched = turnlog.touched_1(turnlog.later_1(c.updated_at, latest[array_position(_logs, c.log)]))
    WHERE c.log = ANY (_logs) AND ends[array_position(_logs, c.log)] > c.head;
END
$$;

-- Rows with _after < seq < _before, the first or (from the last down) the last _limit of them, and no more than their bodies are
-- _bytes together, but one at least. The first row holds the header alone; a last one without a seq tells that _bytes ended it.
-- STABLE: all of it is as of one moment. Where the whole log weighs no more than _bytes, nothing needs to be counted, in a loop
-- that takes twice the time.
CREATE FUNCTION turnlog.read_1(
    _log int8, _tenant text, _id text, _after int8, _before int8, _limit int8, _newest boolean, _bytes int8,
    OUT header text, OUT deleted boolean,
    OUT seq int8, OUT id bytea, OUT created_at int8, OUT tokens int4, OUT version int2, OUT digest bytea, OUT checksum int8, OUT body bytea)
RETURNS SETOF record LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    there record;
    c turnlog.conversation;
    until int8;
    count int8;
    room int8 := _bytes;
    first int8;
BEGIN
    PERFORM turnlog.begin_1();
    SELECT t, s.incarnation INTO there FROM turnlog.conversation AS t, turnlog.schema AS s
    WHERE t.log = _log AND t.tenant = _tenant AND t.id = _id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    c := there.t;
    header := turnlog.header_1(c, turnlog.era_1(there.incarnation));
    deleted := c.deleted;
    RETURN NEXT;
    until := least(c.head, _before - 1);
    count := least(until - _after, _limit);
    IF deleted OR count <= 0 THEN
        RETURN;
    END IF;
    IF NOT _newest THEN
        until := _after + count;
    END IF;
    first := CASE WHEN _newest THEN until ELSE _after + 1 END;
    header := NULL;
    deleted := NULL;
    IF c.weight <= _bytes AND (c.sources IS NULL OR until - count >= c.uptos[1]) THEN
        RETURN QUERY
            SELECT NULL::text, NULL::boolean, m.seq, m.id, m.created_at, m.tokens, m.version, m.digest, m.checksum, m.body
            FROM turnlog.message AS m WHERE m.log = _log AND m.seq > until - count AND m.seq <= until ORDER BY m.seq;
        RETURN;
    END IF;
    IF c.sources IS NOT NULL AND until - count < c.uptos[1] THEN
        FOR seq, id, created_at, tokens, version, digest, checksum, body IN
            SELECT m.seq, m.id, m.created_at, m.tokens, m.version, m.digest, m.checksum, m.body
            FROM unnest(_log || c.sources, c.head || c.uptos, c.uptos || 0::int8) AS s(log, upto, behind)
            JOIN turnlog.message AS m ON m.log = s.log
                AND m.seq > greatest(s.behind, until - count) AND m.seq <= least(s.upto, until)
            ORDER BY CASE WHEN _newest THEN -m.seq ELSE m.seq END
        LOOP
            IF room < octet_length(body) AND seq <> first THEN
                seq := NULL;
                RETURN NEXT;
                RETURN;
            END IF;
            room := room - octet_length(body);
            RETURN NEXT;
        END LOOP;
    ELSIF _newest THEN
        FOR seq, id, created_at, tokens, version, digest, checksum, body IN
            SELECT m.seq, m.id, m.created_at, m.tokens, m.version, m.digest, m.checksum, m.body
            FROM turnlog.message AS m WHERE m.log = _log AND m.seq > until - count AND m.seq <= until
            ORDER BY m.seq DESC
        LOOP
            IF room < octet_length(body) AND seq <> first THEN
                seq := NULL;
                RETURN NEXT;
                RETURN;
            END IF;
            room := room - octet_length(body);
            RETURN NEXT;
        END LOOP;
    ELSE
        FOR seq, id, created_at, tokens, version, digest, checksum, body IN
            SELECT m.seq, m.id, m.created_at, m.tokens, m.version, m.digest, m.checksum, m.body
            FROM turnlog.message AS m WHERE m.log = _log AND m.seq > until - count AND m.seq <= until
            ORDER BY m.seq
        LOOP
            IF room < octet_length(body) AND seq <> first THEN
                seq := NULL;
                RETURN NEXT;
                RETURN;
            END IF;
            room := room - octet_length(body);
            RETURN NEXT;
        END LOOP;
    END IF;
END
$$;

-- The newest rows, from the last down to the first that makes them cost more than _tokens, at most _limit and none up to the
-- watermark of the first fold, if its snapshot is of this epoch, nor more than their bodies are _bytes together, but one at least;
-- then the rows at _pinned that are before those. The first row holds the header alone. `part` tells what the others are: s a
-- snapshot (seq: its place in _folds; created_at: watermark; checksum: epoch; body: state), r one of the newest rows, c that _bytes
-- ended them, p one of the pinned. STABLE: all of it is as of one moment.
CREATE FUNCTION turnlog.recent_1(
    _log int8, _tenant text, _id text, _tokens int8, _limit int8, _pinned int8[], _folds text[], _versions int8[], _bytes int8,
    OUT header text, OUT deleted boolean, OUT part text,
    OUT seq int8, OUT id bytea, OUT created_at int8, OUT tokens int4, OUT version int2, OUT digest bytea, OUT checksum int8, OUT body bytea)
RETURNS SETOF record LANGUAGE plpgsql STABLE
AS $$
#variable_conflict use_column
DECLARE
    there record;
    c turnlog.conversation;
    s record;
    _behind int8 := 0;
    _rest int8 := _tokens;
    _room int8 := _bytes;
    _lowest int8;
BEGIN
    PERFORM turnlog.begin_1();
    SELECT t, s.incarnation INTO there FROM turnlog.conversation AS t, turnlog.schema AS s
    WHERE t.log = _log AND t.tenant = _tenant AND t.id = _id;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    c := there.t;
    header := turnlog.header_1(c, turnlog.era_1(there.incarnation));
    deleted := c.deleted;
    RETURN NEXT;
    IF deleted THEN
        RETURN;
    END IF;
    header := NULL;
    part := 's';
    FOR s IN
        SELECT f.n, t.* FROM unnest(_folds, _versions) WITH ORDINALITY AS f(fold, version, n)
        JOIN turnlog.snapshot AS t ON t.log = _log AND t.fold = f.fold AND t.version = f.version
    LOOP
        IF s.n = 1 AND s.epoch = c.epoch THEN
            _behind := s.watermark;
        END IF;
        seq := s.n; created_at := s.watermark; checksum := s.epoch; body := s.state;
        RETURN NEXT;
    END LOOP;
    part := 'r';
    _behind := greatest(_behind, c.head - _limit);
    _lowest := c.head + 1;
    FOR seq, id, created_at, tokens, version, digest, checksum, body IN
        SELECT r.seq, r.id, r.created_at, r.tokens, r.version, r.digest, r.checksum, r.body
        FROM unnest(_log || c.sources, c.head || c.uptos, c.uptos || 0::int8) AS o(log, upto, behind)
        CROSS JOIN LATERAL (
            SELECT * FROM turnlog.message AS t
            WHERE t.log = o.log AND t.seq > greatest(o.behind, _behind) AND t.seq <= o.upto ORDER BY t.seq DESC OFFSET 0
        ) AS r
    LOOP
        EXIT WHEN _rest < 0;
        _room := _room - octet_length(body);
        IF _room < 0 AND _lowest <= c.head THEN
            part := 'c';
            RETURN NEXT;
            EXIT;
        END IF;
        _rest := _rest - tokens;
        _lowest := seq;
        RETURN NEXT;
    END LOOP;
    IF cardinality(_pinned) > 0 AND _lowest > 1 THEN
        RETURN QUERY
            SELECT NULL::text, NULL::boolean, 'p'::text,
                r.seq, r.id, r.created_at, r.tokens, r.version, r.digest, r.checksum, r.body
            FROM unnest(_log || c.sources, c.head || c.uptos, c.uptos || 0::int8) AS o(log, upto, behind)
            CROSS JOIN LATERAL (
                SELECT * FROM turnlog.message AS t
                WHERE t.log = o.log AND t.seq = ANY (_pinned) AND t.seq > o.behind AND t.seq <= o.upto AND t.seq < _lowest
                OFFSET 0
            ) AS r
            ORDER BY r.seq;
    END IF;
END
$$;

CREATE FUNCTION turnlog.update_1(
    _log int8, _tenant text, _id text, _changed text[], _title text, _labels text[], _metadata text, _archived boolean,
    _now int8, _expect_revision int8, _expect_head int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id FOR NO KEY UPDATE;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.revision <> _expect_revision THEN RETURN (5, c.revision, NULL, NULL)::turnlog.answer_1;
        WHEN c.head <> _expect_head THEN RETURN (4, c.head, NULL, NULL)::turnlog.answer_1;
        ELSE
            UPDATE turnlog.conversation AS t SET
                title = CASE WHEN 'title' = ANY (_changed) THEN _title ELSE t.title END,
                labels = CASE WHEN 'tags' = ANY (_changed) THEN _labels ELSE t.labels END,
                metadata = CASE WHEN 'metadata' = ANY (_changed) THEN _metadata ELSE t.metadata END,
                archived = CASE WHEN 'archived' = ANY (_changed) THEN _archived ELSE t.archived END,
                updated_at = turnlog.later_1(t.updated_at, _now), touched = turnlog.touched_1(turnlog.later_1(t.updated_at, _now)),
                revision = t.revision + 1
            WHERE log = _log RETURNING t.* INTO c;
            RETURN (0, NULL, NULL, turnlog.header_1(c, turnlog.era_1((SELECT incarnation FROM turnlog.schema))))::turnlog.answer_1;
    END CASE;
END
$$;

-- Forks, erasures and deletions among conversations that share rows take turns by a lock on whoever wrote seq 1: forks together,
-- the others alone. Appends do not take part.
CREATE FUNCTION turnlog.tree_1(_log int8) RETURNS int8 LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT sources[cardinality(sources)] FROM turnlog.conversation WHERE log = _log), _log)
$$;

CREATE FUNCTION turnlog.fork_1(
    _log int8, _tenant text, _id text, _new int8, _new_id text, _at int8, _created int8, _updated int8, _user text, _title text,
    _labels text[], _metadata text, _archived boolean, _version int4, _origin int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    p turnlog.conversation;
    c turnlog.conversation;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    PERFORM pg_advisory_xact_lock_shared(turnlog.tree_1(_log));
    SELECT * INTO p FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN p.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN _at NOT BETWEEN 0 AND p.head THEN RETURN (6, NULL, NULL, NULL)::turnlog.answer_1;
        ELSE
            SELECT array_agg(s.log ORDER BY s.n), array_agg(least(s.upto, _at) ORDER BY s.n) INTO p.sources, p.uptos
            FROM unnest(p.log || p.sources, p.head || p.uptos, coalesce(p.uptos, '{}') || 0::int8) WITH ORDINALITY AS s(log, upto, behind, n)
            WHERE s.behind < _at;
    END CASE;
    INSERT INTO turnlog.conversation (log, created_at, updated_at, touched, head, parent_seq, epoch, weight, origin, version, archived,
        tenant, id, user_id, title, labels, metadata, parent, sources, uptos, tokens)
    VALUES (_new, _created, _updated, turnlog.touched_1(_updated), _at, _at, p.epoch, p.weight, _origin, _version, _archived, _tenant, _new_id, _user,
        _title, _labels, _metadata, _id, p.sources, p.uptos,
        coalesce((SELECT total FROM turnlog.message WHERE log = p.sources[1] AND seq = _at), 0))
    ON CONFLICT DO NOTHING RETURNING * INTO c;
    IF NOT FOUND THEN
        RETURN (3, NULL, NULL, NULL)::turnlog.answer_1;
    END IF;
    RETURN (0, NULL, NULL, turnlog.header_1(c, turnlog.era_1((SELECT incarnation FROM turnlog.schema))))::turnlog.answer_1;
END
$$;

-- The tombstone takes the place of all that was there, so that a row whose bytes decayed is whole again. If that changes nothing, it
-- was done before.
CREATE FUNCTION turnlog.redact_1(
    _log int8, _tenant text, _id text, _seq int8, _created int8, _mark int8, _checksum int8, _tokens int4, _version int2, _name bytea,
    _digest bytea, _body bytea, _now int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
    owner int8 := _log;
    shows int8[];
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    PERFORM pg_advisory_xact_lock(turnlog.tree_1(_log));
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN _seq NOT BETWEEN 1 AND c.head THEN RETURN (6, NULL, NULL, NULL)::turnlog.answer_1;
        ELSE
            SELECT s.log INTO owner FROM unnest(_log || c.sources, coalesce(c.uptos, '{}') || 0::int8) AS s(log, behind)
            WHERE s.behind < _seq ORDER BY s.behind DESC LIMIT 1;
    END CASE;
    SELECT array_agg(t.log) INTO shows FROM (
        SELECT f.log FROM turnlog.conversation AS f
        WHERE f.log = owner
           OR f.sources @> ARRAY[owner] AND f.uptos[array_position(f.sources, owner)] >= _seq
        ORDER BY f.log FOR NO KEY UPDATE
    ) AS t;
    UPDATE turnlog.message SET created_at = _created, mark = _mark, checksum = _checksum, tokens = _tokens, version = _version,
        digest = _digest, id = _name, body = _body
    WHERE log = owner AND seq = _seq
      AND (created_at, mark, checksum, tokens, version, digest, id, body)
          IS DISTINCT FROM (_created, _mark, _checksum, _tokens, _version, _digest, _name, _body);
    IF FOUND THEN
        UPDATE turnlog.conversation
        SET epoch = epoch + 1, weight = weight + octet_length(_body), updated_at = turnlog.later_1(updated_at, _now),
            touched = turnlog.touched_1(turnlog.later_1(updated_at, _now))
        WHERE log = ANY (shows);
        DELETE FROM turnlog.snapshot WHERE log = ANY (shows);
    END IF;
    RETURN (SELECT (0, epoch, NULL, NULL)::turnlog.answer_1 FROM turnlog.conversation WHERE log = _log)::turnlog.answer_1;
END
$$;

-- A new erase epoch for this log alone; its snapshots go.
CREATE FUNCTION turnlog.move_epoch_1(_log int8, _tenant text, _id text, _now int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id FOR NO KEY UPDATE;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        ELSE
            UPDATE turnlog.conversation AS t
            SET epoch = t.epoch + 1, updated_at = turnlog.later_1(t.updated_at, _now),
                touched = turnlog.touched_1(turnlog.later_1(t.updated_at, _now))
            WHERE log = _log;
            DELETE FROM turnlog.snapshot WHERE log = _log;
            RETURN (0, c.epoch + 1, NULL, NULL)::turnlog.answer_1;
    END CASE;
END
$$;

-- The header keeps its id alone; from here on nobody sees anything of the log. Its rows go by `purge`, in steps.
CREATE FUNCTION turnlog.delete_1(_log int8, _tenant text, _id text, _now int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    PERFORM pg_advisory_xact_lock(turnlog.tree_1(_log));
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id FOR NO KEY UPDATE;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, c.purging::int4, NULL, NULL)::turnlog.answer_1;
        ELSE
            UPDATE turnlog.conversation SET deleted = true, purging = true, user_id = NULL, title = NULL, labels = '{}',
                metadata = '{}', archived = false, created_at = 0, updated_at = _now, touched = turnlog.touched_1(_now),
                tokens = 0, epoch = epoch + 1
            WHERE log = _log;
            DELETE FROM turnlog.snapshot WHERE log = _log;
            RETURN (0, NULL, NULL, NULL)::turnlog.answer_1;
    END CASE;
END
$$;

-- Of a deleted log, and of the dead logs that it showed, what no living fork shows goes: at most _rows rows a call, from the highest
-- seq down. _place counts those logs from 1 on, and only seqs up to _upto are looked at; the answer: state 0 and both for the next
-- call, which would otherwise walk through all the entries in the index that are dead already; or state 1 when nothing is left.
-- A step waits for no disk, but for the last: its commit is behind all others in the write-ahead log.
CREATE FUNCTION turnlog.purge_1(_log int8, _place int8, _upto int8, _rows int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
    source int8;
    kept int8;
    last int8;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    PERFORM pg_advisory_xact_lock(turnlog.tree_1(_log));
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND deleted;
    source := (_log || coalesce(c.sources, '{}'))[_place];
    IF NOT FOUND OR source IS NULL THEN
        UPDATE turnlog.conversation SET purging = false WHERE log = _log AND purging;
        RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    IF EXISTS (SELECT FROM turnlog.conversation AS d WHERE d.log = source AND d.deleted) THEN
        SELECT coalesce(max(f.uptos[array_position(f.sources, source)]), 0) INTO kept
        FROM turnlog.conversation AS f WHERE f.sources @> ARRAY[source] AND NOT f.deleted;
        SELECT m.seq INTO last FROM turnlog.message AS m
        WHERE m.log = source AND m.seq > kept AND m.seq <= _upto ORDER BY m.seq DESC LIMIT 1;
        IF last IS NOT NULL THEN
            DELETE FROM turnlog.message AS m WHERE m.log = source AND m.seq > greatest(kept, last - _rows) AND m.seq <= last;
            RETURN (0, _place, last - _rows, NULL)::turnlog.answer_1;
        END IF;
    END IF;
    RETURN (0, _place + 1, 9223372036854775807, NULL)::turnlog.answer_1;
END
$$;

-- What a fold saves can be folded again: its commit does not wait for the disk, where an append's does.
CREATE FUNCTION turnlog.save_snapshot_1(
    _log int8, _tenant text, _id text, _fold text, _fold_version int8, _watermark int8, _epoch int8, _state bytea, _expect int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
    seen int8;
BEGIN
    PERFORM turnlog.begin_write_1(_wait), set_config('synchronous_commit', 'off', true);
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id FOR NO KEY UPDATE;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        ELSE
            seen := coalesce((SELECT watermark FROM turnlog.snapshot WHERE log = _log AND fold = _fold AND version = _fold_version), 0);
    END CASE;
    IF seen <> _expect OR c.epoch <> _epoch THEN
        RETURN (7, seen, c.epoch, NULL)::turnlog.answer_1;
    END IF;
    INSERT INTO turnlog.snapshot (log, version, watermark, epoch, fold, state)
    VALUES (_log, _fold_version, _watermark, _epoch, _fold, _state)
    ON CONFLICT (log, fold, version) DO UPDATE SET watermark = excluded.watermark, epoch = excluded.epoch, state = excluded.state;
    RETURN (0, NULL, NULL, NULL)::turnlog.answer_1;
END
$$;

-- What versions of a fold lower than _below saved goes.
CREATE FUNCTION turnlog.drop_snapshots_1(_log int8, _tenant text, _id text, _fold text, _below int8, _wait int4)
RETURNS turnlog.answer_1 LANGUAGE plpgsql
AS $$
DECLARE
    c turnlog.conversation;
BEGIN
    PERFORM turnlog.begin_write_1(_wait);
    SELECT * INTO c FROM turnlog.conversation WHERE log = _log AND tenant = _tenant AND id = _id;
    CASE
        WHEN NOT FOUND THEN RETURN (1, NULL, NULL, NULL)::turnlog.answer_1;
        WHEN c.deleted THEN RETURN (2, NULL, NULL, NULL)::turnlog.answer_1;
        ELSE
            DELETE FROM turnlog.snapshot WHERE log = _log AND fold = _fold AND version < _below;
            RETURN (0, NULL, NULL, NULL)::turnlog.answer_1;
    END CASE;
END
$$;
