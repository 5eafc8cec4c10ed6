-- The log: headers, rows that are only ever added, and the snapshots of folds.

CREATE TABLE conversation (
    n           INTEGER PRIMARY KEY,                    -- names the conversation in the other tables
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    user_id     TEXT,
    head        INTEGER NOT NULL DEFAULT 0,             -- of a deleted conversation: up to where forks still show it
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    active      INTEGER NOT NULL,                       -- updated_at >> 16: what is indexed, so that a burst moves it once
    revision    INTEGER NOT NULL DEFAULT 1,
    epoch       INTEGER NOT NULL DEFAULT 0,
    archived    INTEGER NOT NULL DEFAULT 0,
    deleted     INTEGER NOT NULL DEFAULT 0,
    last        INTEGER,                                -- the row of the last message; NULL at head 0
    parent      INTEGER,
    parent_seq  INTEGER NOT NULL DEFAULT 0,
    version     INTEGER NOT NULL DEFAULT 1,
    title       TEXT,
    tags        TEXT    NOT NULL DEFAULT '[]',          -- JSON
    metadata    TEXT    NOT NULL DEFAULT '{}',          -- JSON
    UNIQUE (tenant, id)
) STRICT;

CREATE INDEX conversation_by_user ON conversation (tenant, user_id, active) WHERE deleted = 0;
CREATE INDEX conversation_by_time ON conversation (tenant, active) WHERE deleted = 0;
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
    prev         INTEGER,                               -- NULL at seq 1
    created_at   INTEGER NOT NULL,                      -- microseconds since 1970 UTC
    tokens       INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    digest       INTEGER NOT NULL,
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
-- conversation has moved on since it was looked at. A row without a conversation is padding.
CREATE VIEW append AS
SELECT conversation, seq, created_at, tokens, version, digest, checksum, id, body, 0 AS now FROM message;

CREATE TRIGGER append_row INSTEAD OF INSERT ON append WHEN NEW.conversation IS NOT NULL
BEGIN
    INSERT INTO message (conversation, seq, prev, created_at, tokens, version, digest, checksum, id, body)
    SELECT n, NEW.seq, last, NEW.created_at, NEW.tokens, NEW.version, NEW.digest, NEW.checksum, NEW.id, NEW.body
    FROM conversation WHERE n = NEW.conversation AND head = NEW.seq - 1 AND deleted = 0;
    SELECT RAISE(ABORT, 'the head has moved') WHERE changes() = 0;
    INSERT INTO message_id VALUES (NEW.id, NEW.conversation, last_insert_rowid());
    INSERT INTO mark SELECT NEW.conversation, NEW.seq, last_insert_rowid() WHERE NEW.seq % 64 = 0;
    UPDATE conversation SET head = NEW.seq, last = last_insert_rowid(), updated_at = max(updated_at, NEW.now)
    WHERE n = NEW.conversation;
    UPDATE conversation SET active = NEW.now >> 16 WHERE n = NEW.conversation AND active < NEW.now >> 16;
END;
