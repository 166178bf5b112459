-- A database of sotto-cloud with schema version 1, as the first version wrote it. Frozen: every
-- later version must bring it forward. source: cloud/store_sqlite/schema.cpp, version 1, and rows
-- made up for the test that reads them.
BEGIN;
PRAGMA application_id = 1397707855;
PRAGMA user_version = 1;
CREATE TABLE accounts (
    account    INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    kind       INTEGER NOT NULL,
    account    INTEGER NOT NULL REFERENCES accounts,
    name       TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (account, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE devices (
    device        BLOB PRIMARY KEY,
    credential    BLOB NOT NULL,
    account       INTEGER NOT NULL REFERENCES accounts,
    registered_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_account ON devices (account, device);
CREATE TABLE claims (
    claim      BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    expires_ms INTEGER NOT NULL,
    device     BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_account ON claims (account, expires_ms);
CREATE TABLE labels (
    allocation INTEGER PRIMARY KEY AUTOINCREMENT,
    device     BLOB NOT NULL,
    label      INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    app        BLOB NOT NULL,
    UNIQUE (device, label),
    UNIQUE (device, account, app)
) STRICT;
CREATE INDEX labels_by_age ON labels (device, allocation);
CREATE TABLE letters (
    sequence   INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox    BLOB NOT NULL,
    device     BLOB NOT NULL,
    account    INTEGER NOT NULL,
    app        BLOB NOT NULL,
    stored_ms  INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    message    BLOB NOT NULL
) STRICT;
CREATE INDEX letters_by_mailbox ON letters (mailbox, sequence, expires_ms, size);
CREATE INDEX letters_by_expiry ON letters (expires_ms);
CREATE TABLE link_contexts (
    device  BLOB PRIMARY KEY,
    context BLOB NOT NULL
) STRICT;
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO accounts VALUES (1,'owner',1700000000000),(2,'guest',1700000001000);
INSERT INTO tokens VALUES (X'3131313131313131313131313131313131313131313131313131313131313131',1,1,'owner',1700000000000),(X'3232323232323232323232323232323232323232323232323232323232323232',2,1,'first',1700000000000),(X'3333333333333333333333333333333333333333333333333333333333333333',1,2,'guest',1700000001000);
INSERT INTO devices VALUES (X'd1d1d1d1d1d1d1d1d1d1d1d1',X'6363636363636363636363636363636363636363636363636363636363636363',1,1700000002000),(X'd2d2d2d2d2d2d2d2d2d2d2d2',X'6464646464646464646464646464646464646464646464646464646464646464',2,1700000003000);
INSERT INTO claims VALUES (X'6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b',1,1700003602000,X'd1d1d1d1d1d1d1d1d1d1d1d1'),(X'6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c',2,4102444800000,NULL);
INSERT INTO labels VALUES (1,X'd1d1d1d1d1d1d1d1d1d1d1d1',2,1,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0'),(2,X'd2d2d2d2d2d2d2d2d2d2d2d2',7,2,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0');
INSERT INTO letters VALUES (5,X'01d1d1d1d1d1d1d1d1d1d1d1d1',X'd1d1d1d1d1d1d1d1d1d1d1d1',1,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',1700000004000,4102444800000,10,X'7365616c6564206f6e65'),(6,X'01d1d1d1d1d1d1d1d1d1d1d1d1',X'd1d1d1d1d1d1d1d1d1d1d1d1',1,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',1700000004000,4102444800000,10,X'7365616c65642074776f'),(7,X'020000000000000001a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',X'd1d1d1d1d1d1d1d1d1d1d1d1',1,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',1700000004000,4102444800000,13,X'7365616c656420616e73776572'),(8,X'020000000000000001a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',X'd1d1d1d1d1d1d1d1d1d1d1d1',1,X'a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0',1700000004000,1700000005000,8,X'746f6f206c617465');
INSERT INTO link_contexts VALUES (X'd1d1d1d1d1d1d1d1d1d1d1d1',X'636f6e74657874206f66206f6e65');
INSERT INTO settings VALUES ('address','cloud.example:5684');
UPDATE sqlite_sequence SET seq = 41 WHERE name = 'letters';
COMMIT;
