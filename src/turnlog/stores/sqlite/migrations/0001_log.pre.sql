-- The log: headers, rows that are only ever added, and the snapshots of folds.

-- One row about the file as a whole.
CREATE TABLE store (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    pre         INTEGER NOT NULL,                       -- the last steps of the schema that were taken
    post        INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,                       -- random; new in a copy of the file
    place       TEXT    NOT NULL,                       -- device and inode of the file, to tell a copy
    placeholder INTEGER NOT NULL                        -- a row of `message` without content, which keeps the highest number taken
) STRICT;
INSERT INTO store VALUES (1, 0, 0, random(), '', 0);

CREATE TABLE conversation (
    n           INTEGER PRIMARY KEY AUTOINCREMENT,      -- names the conversation in the other tables; a fork's is above its parent's
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    user_id     TEXT,
    head        INTEGER NOT NULL DEFAULT 0,             -- of a deleted conversation: up to where forks still show it
    tokens      INTEGER NOT NULL DEFAULT 0,             -- `total` of the last message
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    active      INTEGER NOT NULL,                       -- updated_at >> 16: what is indexed, so that a burst moves it once
    revision    INTEGER NOT NULL DEFAULT 1,
    epoch       INTEGER NOT NULL DEFAULT 0,
    archived    INTEGER NOT NULL DEFAULT 0,
    deleted     INTEGER NOT NULL DEFAULT 0,             -- 1: some rows are still to be dropped; 2: none
    last        INTEGER,                                -- the row of the last message; NULL at head 0
    parent      INTEGER,
    parent_seq  INTEGER NOT NULL DEFAULT 0,
    version     INTEGER NOT NULL DEFAULT 1,
    incarnation INTEGER NOT NULL DEFAULT (random()),
    title       TEXT,
    tags        TEXT    NOT NULL DEFAULT '[]',          -- JSON
    metadata    TEXT    NOT NULL DEFAULT '{}',          -- JSON
    UNIQUE (tenant, id)
) STRICT;

CREATE INDEX conversation_by_user ON conversation (tenant, user_id, active) WHERE deleted = 0;
CREATE INDEX conversation_by_time ON conversation (tenant, active) WHERE deleted = 0;
CREATE INDEX conversation_to_trim ON conversation (n) WHERE deleted = 1;
CREATE INDEX conversation_by_parent ON conversation (parent, parent_seq) WHERE parent IS NOT NULL;

CREATE TABLE conversation_tag (
    tenant       TEXT    NOT NULL,
    tag          TEXT    NOT NULL,
    conversation INTEGER NOT NULL,
    PRIMARY KEY (tenant, tag, conversation)
) STRICT, WITHOUT ROWID;

-- Rows lie in the order of arrival, so that a commit touches few pages however many conversations it serves. Each points to
-- the one before it in its conversation; the first row of a fork points into its parent's.
CREATE TABLE message (
    n            INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    prev         INTEGER,                               -- NULL at seq 1; always below n
    created_at   INTEGER NOT NULL,                      -- microseconds since 1970 UTC
    tokens       INTEGER NOT NULL,
    total        INTEGER NOT NULL DEFAULT 0,            -- tokens of the conversation up to here; a redaction leaves it (decision 058)
    version      INTEGER NOT NULL,
    digest       BLOB    NOT NULL,
    checksum     INTEGER NOT NULL,
    id           TEXT    NOT NULL,
    body         BLOB    NOT NULL                       -- canonical JSON
) STRICT;

-- Every 64th row of a conversation, to begin a walk at.
CREATE TABLE mark (
    conversation INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    message      INTEGER NOT NULL,
    PRIMARY KEY (conversation, seq)
) STRICT, WITHOUT ROWID;

-- Ids are mostly UUIDs of version 7, which come in the order of time: new ones go to the end of this tree.
CREATE TABLE message_id (
    id           TEXT    NOT NULL,
    conversation INTEGER NOT NULL,
    message      INTEGER NOT NULL,
    PRIMARY KEY (id, conversation)
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    conversation INTEGER NOT NULL,
    fold         TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    watermark    INTEGER NOT NULL,
    epoch        INTEGER NOT NULL,
    state        BLOB    NOT NULL,
    PRIMARY KEY (conversation, fold, version)
) STRICT, WITHOUT ROWID;

-- How a row gets in: one statement keeps the row, its id, its mark and the header together, or fails as a whole when the
-- conversation has moved on since it was looked at, or when the file is of newer software than who adds the row (decision 015).
-- The conversation is named by its incarnation too: after a restore under an open store its number may be another's. A row
-- without a conversation is padding.
CREATE VIEW append AS
SELECT conversation, 0 AS incarnation, seq, created_at, tokens, version, digest, checksum, id, body, 0 AS now, 0 AS supported
FROM message;

CREATE TRIGGER append_row INSTEAD OF INSERT ON append WHEN NEW.conversation IS NOT NULL
BEGIN
    INSERT INTO message (conversation, seq, prev, created_at, tokens, total, version, digest, checksum, id, body)
    SELECT n, NEW.seq, last, NEW.created_at, NEW.tokens, conversation.tokens + NEW.tokens, NEW.version, NEW.digest, NEW.checksum, NEW.id, NEW.body
    FROM conversation WHERE n = NEW.conversation AND incarnation = NEW.incarnation AND head = NEW.seq - 1 AND deleted = 0
        AND CASE WHEN NEW.supported IS NULL THEN 1 ELSE (SELECT post FROM store) <= NEW.supported END;
    SELECT RAISE(ABORT, 'the head has moved') WHERE changes() = 0;
    INSERT INTO message_id VALUES (NEW.id, NEW.conversation, last_insert_rowid());
    INSERT INTO mark SELECT NEW.conversation, NEW.seq, last_insert_rowid() WHERE NEW.seq % 64 = 0;
    UPDATE conversation SET head = NEW.seq, last = last_insert_rowid(), tokens = tokens + NEW.tokens,
        updated_at = max(updated_at, NEW.now)
    WHERE n = NEW.conversation;
    UPDATE conversation SET updated_at = iif(updated_at - NEW.now > 86400000000, NEW.now, updated_at),
        active = iif(updated_at - NEW.now > 86400000000, NEW.now, updated_at) >> 16
    WHERE n = NEW.conversation AND active <> NEW.now >> 16;
END;
