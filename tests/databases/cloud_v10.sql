-- A database of sotto-cloud with schema version 10, as its version wrote it. Frozen: every later
-- version must bring it forward. source: cloud/store_sqlite/schema.cpp, versions 1 to 10, with the
-- rows of cloud_v9.sql, an administrator, a program of a product, and an environment.
BEGIN;
PRAGMA application_id = 1397707855;
PRAGMA user_version = 10;
CREATE TABLE accounts (
    account    INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
, password TEXT NOT NULL DEFAULT '', otp_secret BLOB, otp_step INTEGER NOT NULL DEFAULT -1, administrator INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "accounts" VALUES(1,'owner',1700000000000,'',NULL,-1,1,0);
INSERT INTO "accounts" VALUES(2,'guest',1700000001000,'$scrypt$x',X'0102030405060708090A0B0C0D0E0F1011121314',55,0,0);
CREATE TABLE audit (
    entry   INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms   INTEGER NOT NULL,
    account INTEGER,
    address TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE TABLE claim_codes (
    hash       BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE claims (
    claim      BLOB PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES accounts,
    expires_ms INTEGER NOT NULL,
    device     BLOB
) STRICT, WITHOUT ROWID;
INSERT INTO "claims" VALUES(X'6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B',1,1700003602000,X'D1D1D1D1D1D1D1D1D1D1D1D1');
INSERT INTO "claims" VALUES(X'6C6C6C6C6C6C6C6C6C6C6C6C6C6C6C6C',2,4102444800000,NULL);
CREATE TABLE device_keys (
    device    BLOB PRIMARY KEY,
    key       BLOB NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "device_keys" VALUES(X'B1B1B1B1B1B1B1B1B1B1B1B1',X'0102',1700000000000);
CREATE TABLE devices (
    device        BLOB PRIMARY KEY,
    credential    BLOB NOT NULL,
    account       INTEGER NOT NULL REFERENCES accounts,
    registered_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "devices" VALUES(X'D1D1D1D1D1D1D1D1D1D1D1D1',X'6363636363636363636363636363636363636363636363636363636363636363',1,1700000002000);
INSERT INTO "devices" VALUES(X'D2D2D2D2D2D2D2D2D2D2D2D2',X'6464646464646464646464646464646464646464646464646464646464646464',2,1700000003000);
CREATE TABLE environments (
    account    INTEGER NOT NULL REFERENCES accounts,
    product    INTEGER NOT NULL,
    device     BLOB NOT NULL,
    revision   INTEGER NOT NULL,
    definition TEXT NOT NULL,
    PRIMARY KEY (account, product, device)
) STRICT, WITHOUT ROWID;
INSERT INTO "environments" VALUES(1,0,X'',3,'{"latest":{}}');
CREATE TABLE integrations (
    place      INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    account    INTEGER NOT NULL REFERENCES accounts,
    definition TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
, product INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "integrations" VALUES(1,X'E0E0E0E0E0E0E0E0E0E0E0E0',1,'{}',1700000006000,1700000007000,0);
CREATE TABLE labels (
    allocation INTEGER PRIMARY KEY AUTOINCREMENT,
    device     BLOB NOT NULL,
    label      INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    app        BLOB NOT NULL,
    UNIQUE (device, label),
    UNIQUE (device, account, app)
) STRICT;
INSERT INTO "labels" VALUES(1,X'D1D1D1D1D1D1D1D1D1D1D1D1',2,1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0');
INSERT INTO "labels" VALUES(2,X'D2D2D2D2D2D2D2D2D2D2D2D2',7,2,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0');
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
, reference INTEGER NOT NULL DEFAULT 0, kind INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "letters" VALUES(5,X'01D1D1D1D1D1D1D1D1D1D1D1D1',X'D1D1D1D1D1D1D1D1D1D1D1D1',1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',1700000004000,4102444800000,10,X'7365616C6564206F6E65',0,0);
INSERT INTO "letters" VALUES(6,X'01D1D1D1D1D1D1D1D1D1D1D1D1',X'D1D1D1D1D1D1D1D1D1D1D1D1',1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',1700000004000,4102444800000,10,X'7365616C65642074776F',0,0);
INSERT INTO "letters" VALUES(7,X'020000000000000001A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',X'D1D1D1D1D1D1D1D1D1D1D1D1',1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',1700000004000,4102444800000,13,X'7365616C656420616E73776572',0,0);
INSERT INTO "letters" VALUES(8,X'020000000000000001A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',X'D1D1D1D1D1D1D1D1D1D1D1D1',1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',1700000004000,1700000005000,8,X'746F6F206C617465',0,0);
INSERT INTO "letters" VALUES(42,X'020000000000000001A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',X'D1D1D1D1D1D1D1D1D1D1D1D1',1,X'A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0',1700000004000,4102444800000,0,X'',77,1);
CREATE TABLE link_contexts (
    device  BLOB PRIMARY KEY,
    context BLOB NOT NULL
) STRICT;
INSERT INTO "link_contexts" VALUES(X'D1D1D1D1D1D1D1D1D1D1D1D1',X'636F6E74657874206F66206F6E65');
CREATE TABLE mail_usage (
    account INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL,
    bytes   INTEGER NOT NULL
) STRICT;
INSERT INTO "mail_usage" VALUES(1,5,41);
CREATE TABLE oauth_clients (
    place        INTEGER PRIMARY KEY,
    id           TEXT NOT NULL UNIQUE,
    account      INTEGER NOT NULL REFERENCES accounts,
    product      INTEGER NOT NULL,
    name         TEXT NOT NULL,
    type         TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope        TEXT NOT NULL,
    secret       BLOB NOT NULL,
    created_ms   INTEGER NOT NULL
) STRICT;
INSERT INTO "oauth_clients" VALUES(1,'lamps-1',2,1000,'shop','installed','','',X'4141414141414141414141414141414141414141414141414141414141414141',1700000000000);
CREATE TABLE open_devices (
    device           BLOB PRIMARY KEY,
    account          INTEGER NOT NULL REFERENCES accounts,
    name             TEXT NOT NULL,
    notes            TEXT NOT NULL DEFAULT '',
    claimed_ms       INTEGER NOT NULL,
    heard_ms         INTEGER NOT NULL DEFAULT 0,
    connected_ms     INTEGER NOT NULL DEFAULT 0,
    address          TEXT NOT NULL DEFAULT '',
    platform         INTEGER NOT NULL DEFAULT 0,
    product          INTEGER NOT NULL DEFAULT 0,
    firmware_version INTEGER NOT NULL DEFAULT 0,
    system_version   TEXT NOT NULL DEFAULT '', token BLOB, scope TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO "open_devices" VALUES(X'B1B1B1B1B1B1B1B1B1B1B1B1',1,'lamp','',1700000000000,0,0,'',0,0,0,'',NULL,NULL);
INSERT INTO "open_devices" VALUES(X'D1D1D1D1D1D1D1D1D1D1D1D1',1,'door','',1700000000000,0,0,'',0,0,0,'',X'09','v/state');
CREATE TABLE pending_keys (
    device   BLOB NOT NULL,
    key      BLOB NOT NULL,
    shown_ms INTEGER NOT NULL,
    PRIMARY KEY (device, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "pending_keys" VALUES(X'B2B2B2B2B2B2B2B2B2B2B2B2',X'0102',1700000000000);
CREATE TABLE product_devices (
    product         INTEGER NOT NULL REFERENCES products,
    device          BLOB NOT NULL,
    membership      INTEGER NOT NULL,
    development     INTEGER NOT NULL DEFAULT 0,
    desired_version INTEGER,
    groups          TEXT NOT NULL DEFAULT '',
    added_ms        INTEGER NOT NULL,
    failed_version  INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    retry_ms        INTEGER NOT NULL DEFAULT 0,
    why             TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (product, device)
) STRICT, WITHOUT ROWID;
INSERT INTO "product_devices" VALUES(1000,X'B1B1B1B1B1B1B1B1B1B1B1B1',0,0,NULL,'beta',1700000000000,0,0,0,'');
CREATE TABLE product_firmware (
    firmware    INTEGER PRIMARY KEY,
    product     INTEGER NOT NULL REFERENCES products,
    version     INTEGER NOT NULL,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    file_name   TEXT NOT NULL,
    size        INTEGER NOT NULL,
    uploaded_ms INTEGER NOT NULL,
    image       BLOB NOT NULL,
    UNIQUE (product, version)
) STRICT;
INSERT INTO "product_firmware" VALUES(1,1000,7,'seven','','seven.bin',3,1700000000000,X'010203');
CREATE TABLE product_groups (
    product     INTEGER NOT NULL REFERENCES products,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    color       TEXT NOT NULL,
    created_ms  INTEGER NOT NULL,
    PRIMARY KEY (product, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "product_groups" VALUES(1000,'beta','','#fff',1700000000000);
CREATE TABLE product_releases (
    release     INTEGER PRIMARY KEY AUTOINCREMENT,
    product     INTEGER NOT NULL REFERENCES products,
    version     INTEGER NOT NULL,
    is_default  INTEGER NOT NULL,
    groups      TEXT NOT NULL,
    immediate   INTEGER NOT NULL,
    released_ms INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    succeeded   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    recent      TEXT NOT NULL,
    why         TEXT NOT NULL
) STRICT;
INSERT INTO "product_releases" VALUES(1,1000,7,1,'',0,1700000000000,0,0,0,'','');
CREATE TABLE products (
    product     INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES accounts,
    slug        TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    platform    INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    UNIQUE (account, slug)
) STRICT;
INSERT INTO "products" VALUES(1000,2,'lamps','Lamps','of a house',103,1700000000000);
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "settings" VALUES('address','cloud.example:5684');
CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    kind       INTEGER NOT NULL,
    account    INTEGER NOT NULL REFERENCES accounts,
    name       TEXT NOT NULL,
    created_ms INTEGER NOT NULL, client TEXT NOT NULL DEFAULT '', scopes INTEGER NOT NULL DEFAULT 255, expires_ms INTEGER, product INTEGER NOT NULL DEFAULT 0,
    UNIQUE (account, kind, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "tokens" VALUES(X'3131313131313131313131313131313131313131313131313131313131313131',1,1,'owner',1700000000000,'',8191,NULL,0);
INSERT INTO "tokens" VALUES(X'3232323232323232323232323232323232323232323232323232323232323232',2,1,'first',1700000000000,'',8191,NULL,0);
INSERT INTO "tokens" VALUES(X'3333333333333333333333333333333333333333333333333333333333333333',1,2,'guest',1700000001000,'',8191,NULL,0);
INSERT INTO "tokens" VALUES(X'3434343434343434343434343434343434343434343434343434343434343434',3,2,'program',1700000000000,'particle-cli',8191,NULL,0);
INSERT INTO "tokens" VALUES(X'3535353535353535353535353535353535353535353535353535353535353535',5,1,'robot',1700000000000,'friendly',1,NULL,1000);
CREATE INDEX integrations_by_account ON integrations (account);
CREATE INDEX devices_by_account ON devices (account, device);
CREATE INDEX claims_by_account ON claims (account, expires_ms);
CREATE INDEX labels_by_age ON labels (device, allocation);
CREATE INDEX letters_by_mailbox ON letters (mailbox, sequence, expires_ms, size);
CREATE INDEX letters_by_expiry ON letters (expires_ms);
CREATE TRIGGER letters_come AFTER INSERT ON letters BEGIN
    INSERT INTO mail_usage (account, count, bytes) VALUES (NEW.account, 1, NEW.size)
        ON CONFLICT (account) DO UPDATE SET count = count + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER letters_go AFTER DELETE ON letters BEGIN
    UPDATE mail_usage SET count = count - 1, bytes = bytes - OLD.size
        WHERE account = OLD.account;
END;
CREATE INDEX open_devices_by_account ON open_devices (account, device);
CREATE INDEX claim_codes_by_account ON claim_codes (account, expires_ms);
CREATE INDEX pending_keys_by_age ON pending_keys (shown_ms);
CREATE INDEX audit_by_account ON audit (account, entry);
CREATE INDEX product_devices_by_device ON product_devices (device, membership);
CREATE INDEX product_releases_by_product ON product_releases (product, release);
CREATE INDEX oauth_clients_by_account ON oauth_clients (account);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('accounts',2);
INSERT INTO "sqlite_sequence" VALUES('labels',2);
INSERT INTO "sqlite_sequence" VALUES('letters',42);
INSERT INTO "sqlite_sequence" VALUES('product_releases',1);
COMMIT;
