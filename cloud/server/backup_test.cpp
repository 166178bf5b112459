// SPDX-License-Identifier: Apache-2.0
// One of everything goes into a backup, and comes back.
#include "cloud/server/backup.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "cloud/server/blocking_store.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/state.hpp"
#include "cloud/store_sqlite/database.hpp"
#include "ports/linux/system_entropy.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::server {
namespace {

using store_sqlite::Database;
using testing::Folder;
using testing::read_text;

// Of each table one row; of the firmware more than a sealed backup could hold once.
constexpr const char* kRows = R"sql(
INSERT INTO accounts (account, name, created_ms, password, otp_secret, otp_step, administrator)
    VALUES (7, 'ann', 1, '$scrypt$x', x'0102', 5, 1);
INSERT INTO tokens (hash, kind, account, name, created_ms, product) VALUES (x'aa', 5, 7, 'robot', 1, 1000);
INSERT INTO devices VALUES (x'd1', x'c1', 7, 1);
INSERT INTO claims VALUES (x'c2', 7, 2, NULL);
INSERT INTO labels (device, label, account, app) VALUES (x'd1', 2, 7, x'a1');
INSERT INTO letters (mailbox, device, account, app, stored_ms, expires_ms, size, message)
    VALUES (x'b1', x'd1', 7, x'a1', 1, 2, 3, x'010203');
INSERT INTO open_devices (device, account, name, claimed_ms, token, scope)
    VALUES (x'd1', 7, 'lamp', 1, x'09', 'f/lamp');
INSERT INTO claim_codes VALUES (x'cc', 7, 2);
INSERT INTO audit (at_ms, account, address, action, subject, outcome)
    VALUES (1, 7, '::1', 'login', 'x', 'done');
INSERT INTO device_keys VALUES (x'd2', x'0102', 1);
INSERT INTO pending_keys VALUES (x'd3', x'0102', 1);
INSERT INTO integrations (id, account, definition, created_ms, updated_ms)
    VALUES (x'e1', 7, '{}', 1, 2);
INSERT INTO products VALUES (1000, 7, 'lamps', 'Lamps', '', 6, 1);
INSERT INTO product_groups VALUES (1000, 'beta', '', '', 1);
INSERT INTO product_devices (product, device, membership, added_ms) VALUES (1000, x'd2', 0, 1);
INSERT INTO product_firmware VALUES (1, 1000, 3, 't', '', 'f.bin', 20000000, 1, randomblob(20000000));
INSERT INTO product_releases VALUES (1, 1000, 3, 1, '', 0, 1, 0, 0, 0, '', '');
INSERT INTO oauth_clients VALUES (1, 'shop-1', 7, 1000, 'shop', 'installed', '', '', x'5e', 1);
INSERT INTO environments VALUES (7, 1000, x'', 1, '{"latest":{}}');
INSERT INTO tag_keys VALUES (x'd1', 7, x'4b');
INSERT INTO settings VALUES ('address', 'cloud.example:5684');
INSERT INTO link_contexts VALUES (x'd1', x'01');
)sql";

// Every row of every table, as SQL would write it.
std::map<std::string, std::vector<std::string>> content_of(const std::string& state) {
    const auto database =
        *Database::open(state + "/cloud.db", Database::Mode::OpenToRead, seconds(5));
    std::map<std::string, std::vector<std::string>> content;
    std::vector<std::string> tables;
    {
        auto query = database->query("SELECT name FROM sqlite_schema WHERE type = 'table'");
        while (*query.step()) tables.emplace_back(query.text(0));
    }
    for (const std::string& table : tables) {
        auto& rows = content[table];
        const std::string columns = *database->text_of(
            "SELECT group_concat('quote(' || name || ')', '||') "
            "FROM pragma_table_info('" +
            table + "')");
        const std::string all = "SELECT coalesce(group_concat(row, char(10)), '') FROM (SELECT " +
                                columns + " AS row FROM \"" + table + "\" ORDER BY 1)";
        if (const std::string text = *database->text_of(all); !text.empty()) rows.push_back(text);
    }
    return content;
}

class BackupOfEverything : public ::testing::TestWithParam<bool> {};

TEST_P(BackupOfEverything, ComesBackAsItWas) {
    const Folder folder;
    ports::SystemEntropy entropy;
    const std::string state = folder / "cloud";
    ASSERT_TRUE(init({.state = state}, entropy));
    ASSERT_TRUE(replace_particle_key(state, *particle_openssl::ServerKey::generate()));
    {
        Waiter waiter;
        ASSERT_TRUE(open_store(state, waiter.executor())) << "brings the database forward";
    }
    {
        const auto database =
            *Database::open(state + "/cloud.db", Database::Mode::Open, seconds(5));
        ASSERT_TRUE(database->execute(kRows)) << database->last_message();
    }
    std::ofstream{folder / "passphrase"} << "correct horse battery staple\n";
    const std::string passphrase = GetParam() ? folder / "passphrase" : std::string{};
    const auto saved =
        backup({.state = state, .file = folder / "backup", .passphrase_file = passphrase}, entropy);
    ASSERT_TRUE(saved) << saved.error().detail;
    const std::string again = folder / "again";
    const auto restored =
        restore({.state = again, .file = folder / "backup", .passphrase_file = passphrase});
    ASSERT_TRUE(restored) << restored.error().detail;

    auto expected = content_of(state);
    const auto found = content_of(again);
    for (const auto& [table, rows] : expected)
        EXPECT_FALSE(rows.empty()) << "this test says nothing of " << table;
    expected["link_contexts"].clear();  // sessions never come back
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [table, rows] : expected) EXPECT_TRUE(found.at(table) == rows) << table;
    for (const char* file : {"particle/default_key.pem",
                             "particle/previous_key.pem",
                             "tls/authority.pem",
                             "tls/authority.crt",
                             "tls/server.pem"}) {
        EXPECT_FALSE(read_text(state + "/" + file).empty()) << file;
        EXPECT_EQ(read_text(again + "/" + file), read_text(state + "/" + file)) << file;
    }
    const auto identity = open_state(state);
    const auto same = open_state(again);
    ASSERT_TRUE(identity && same);
    EXPECT_TRUE(equal(same->identity.credential, identity->identity.credential));
}

INSTANTIATE_TEST_SUITE_P(Plain, BackupOfEverything, ::testing::Values(false));
INSTANTIATE_TEST_SUITE_P(Sealed, BackupOfEverything, ::testing::Values(true));

}  // namespace
}  // namespace sotto::cloud::server
