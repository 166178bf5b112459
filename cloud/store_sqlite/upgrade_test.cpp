// SPDX-License-Identifier: Apache-2.0
// What an older version left is brought forward with everything in it, and what a backup holds
// comes back.
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include "cloud/store_sqlite/backup.hpp"
#include "cloud/store_sqlite/schema.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"

namespace sotto::cloud::store_sqlite {
namespace {

namespace fs = std::filesystem;
using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

std::string read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

template <class T>
T filled(int value) {
    T id{};
    std::ranges::fill(id, static_cast<std::uint8_t>(value));
    return id;
}

DeviceId device(int value) { return filled<DeviceId>(value); }

AppAddress app_of(std::int64_t account) {
    AppAddress app{.account = AccountId{account}, .app = {}};
    app.app.bytes.fill(0xa0);
    return app;
}

const Instant kNow = Instant{} + seconds(1'700'000'010);

class UpgradeTest : public ::testing::Test {
  protected:
    UpgradeTest() {
        std::string pattern = (fs::temp_directory_path() / "sotto-XXXXXX").string();
        folder_ = mkdtemp(pattern.data());
    }
    ~UpgradeTest() override { fs::remove_all(folder_); }

    std::string file(const std::string& name) const { return (folder_ / name).string(); }

    void write_version_1(const std::string& path) { write_version(path, 1); }
    void write_version(const std::string& path, int version) {
        const auto database = Database::open(path, Database::Mode::Create, Duration{});
        ASSERT_TRUE(database);
        const std::string sql =
            read_file(std::string{SOTTO_SOURCE_DIR} + "/tests/databases/cloud_v" +
                      std::to_string(version) + ".sql");
        ASSERT_TRUE((*database)->execute(sql)) << (*database)->last_message();
    }

    std::unique_ptr<SqliteStore> open(const std::string& path) {
        auto store = SqliteStore::open(path, {}, [this](std::function<void()> function) {
            const std::scoped_lock lock{mutex_};
            posted_.push_back(std::move(function));
            changed_.notify_one();
        });
        EXPECT_TRUE(store) << store.error().detail;
        return store ? *std::move(store) : nullptr;
    }

    template <class T, class Begin>
    Result<T> wait_for(const Begin& begin) {
        std::optional<Result<T>> answer;
        begin([&answer](Result<T> given) { answer = std::move(given); });
        while (!answer) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return !posted_.empty(); });
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            lock.unlock();
            function();
        }
        return *std::move(answer);
    }

    std::vector<std::string> letters_in(SqliteStore& store, const Mailbox& mailbox) {
        const auto letters = wait_for<std::vector<StoredLetter>>(
            [&](auto done) { store.list(mailbox, Sequence{}, 10, kNow, std::move(done)); });
        std::vector<std::string> texts;
        for (const StoredLetter& stored : *letters)
            if (stored.letter.kind == LetterKind::Message)
                texts.emplace_back(stored.letter.message.begin(), stored.letter.message.end());
        return texts;
    }

    void expect_content(SqliteStore& store) {
        const auto guest =
            wait_for<AccountId>([&](auto done) { store.find_account("guest", std::move(done)); });
        EXPECT_EQ(*guest, AccountId{2});
        TokenHash hash;
        std::ranges::fill(hash.bytes, std::uint8_t{'2'});
        const auto holder = wait_for<TokenHolder>(
            [&](auto done) { store.find_token(hash, TokenKind::Gateway, std::move(done)); });
        ASSERT_TRUE(holder);
        EXPECT_EQ(holder->name, "first");
        const auto record = wait_for<DeviceRecord>(
            [&](auto done) { store.load_device(device(0xd1), std::move(done)); });
        ASSERT_TRUE(record->registration);
        EXPECT_EQ(record->registration->account, AccountId{1});
        ASSERT_EQ(record->labels.size(), 1U);
        EXPECT_EQ(record->labels[0].app, app_of(1));
        const auto address = wait_for<std::optional<std::string>>(
            [&](auto done) { store.get_setting("address", std::move(done)); });
        EXPECT_EQ(*address, "cloud.example:5684");
        EXPECT_EQ(letters_in(store, Mailbox::of_device(device(0xd1))),
                  (std::vector<std::string>{"sealed one", "sealed two"}));
        EXPECT_EQ(letters_in(store, Mailbox::of_app(app_of(1))),
                  std::vector<std::string>{"sealed answer"});
    }

    bool has_context(SqliteStore& store) {
        using Context = std::optional<std::vector<std::uint8_t>>;
        const auto context = wait_for<Context>(
            [&](auto done) { store.load_link_context(device(0xd1), std::move(done)); });
        return context->has_value();
    }

    fs::path folder_;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
};

TEST_F(UpgradeTest, ADatabaseOfTheFirstVersionKeepsEverything) {
    write_version_1(file("cloud.db"));
    for (int start = 0; start < 2; ++start) {
        const auto store = open(file("cloud.db"));
        ASSERT_NE(store, nullptr);
        expect_content(*store);
        EXPECT_TRUE(has_context(*store)) << "it is the same cloud: devices resume";
    }
    const auto database = Database::open(file("cloud.db"), Database::Mode::Open, Duration{});
    EXPECT_EQ(*version_of(**database, ""), static_cast<std::int64_t>(migrations().size()));
    EXPECT_TRUE(check(**database, ""));
}

TEST_F(UpgradeTest, ADatabaseOfTheSecondVersionKeepsEverythingAndItsTokensOpenTheRestToo) {
    write_version(file("cloud.db"), 2);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto letters = wait_for<std::vector<StoredLetter>>([&](auto done) {
        store->list(Mailbox::of_app(app_of(1)), Sequence{7}, 10, kNow, std::move(done));
    });
    ASSERT_EQ(letters->size(), 1U);
    EXPECT_EQ(letters->at(0).letter.kind, LetterKind::Expired);
    EXPECT_EQ(letters->at(0).letter.reference, 77U);
    TokenHash hash;
    std::ranges::fill(hash.bytes, std::uint8_t{'1'});
    const auto access =
        wait_for<Access>([&](auto done) { store->find_access(hash, kNow, std::move(done)); });
    ASSERT_TRUE(access);
    EXPECT_EQ(access->user, "owner");
    EXPECT_EQ(access->scopes, kAllScopes);
    EXPECT_FALSE(access->expires_at);
    const auto login =
        wait_for<Login>([&](auto done) { store->find_login("owner", std::move(done)); });
    EXPECT_EQ(login->password, "") << "nobody logs in before a password was set";
}

TEST_F(UpgradeTest, ADatabaseOfTheThirdVersionKeepsEverythingAndTakesDeviceKeys) {
    write_version(file("cloud.db"), 3);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto login =
        wait_for<Login>([&](auto done) { store->find_login("guest", std::move(done)); });
    EXPECT_EQ(login->password, "$scrypt$x");
    const auto lamp = wait_for<std::optional<OpenDeviceRecord>>(
        [&](auto done) { store->find_open_device(device(0xb1), std::move(done)); });
    ASSERT_TRUE(*lamp);
    EXPECT_EQ((*lamp)->name, "lamp");
    const DeviceKey key{.device = device(0xb1), .key = {1, 2}, .stored_at = kNow};
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->set_device_key(key, std::move(done)); }));
    const auto found = wait_for<std::optional<DeviceKey>>(
        [&](auto done) { store->find_device_key(device(0xb1), std::move(done)); });
    EXPECT_EQ(*found, key);
}

TEST_F(UpgradeTest, ADatabaseOfTheFourthVersionKeepsEverythingAndItsOwnersMayOpenDevices) {
    write_version(file("cloud.db"), 4);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto key = wait_for<std::optional<DeviceKey>>(
        [&](auto done) { store->find_device_key(device(0xb1), std::move(done)); });
    EXPECT_EQ((*key)->key, (std::vector<std::uint8_t>{1, 2}));
    const auto list = [&] {
        return *wait_for<std::vector<Opening>>(
            [&](auto done) { store->list_openings(std::move(done)); });
    };
    EXPECT_TRUE(list().empty()) << "the lamp is open by nature";
    const auto sealed = wait_for<std::vector<Registration>>(
        [&](auto done) { store->list_devices(AccountId{1}, std::move(done)); });
    ASSERT_FALSE(sealed->empty());
    const Opening opening{.device = sealed->front().device,
                          .account = AccountId{1},
                          .name = "door",
                          .token = {9},
                          .scope = "v/state",
                          .credential = sealed->front().credential};
    EXPECT_TRUE(
        wait_for<Opening>([&](auto done) { store->set_opening(opening, kNow, std::move(done)); }));
    EXPECT_EQ(list(), std::vector{opening});
}

TEST_F(UpgradeTest, ADatabaseOfTheFifthVersionKeepsEverythingAndNotesKeysThatAreShown) {
    write_version(file("cloud.db"), 5);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto openings =
        wait_for<std::vector<Opening>>([&](auto done) { store->list_openings(std::move(done)); });
    ASSERT_EQ(openings->size(), 1U);
    EXPECT_EQ(openings->front().scope, "v/state");
    const DeviceKey key{.device = device(0xb2), .key = {1, 2}, .stored_at = kNow};
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->add_pending_key(key, std::move(done)); }));
    const auto pending = wait_for<std::vector<DeviceKey>>(
        [&](auto done) { store->list_pending_keys(std::move(done)); });
    EXPECT_EQ(*pending, std::vector{key});
}

TEST_F(UpgradeTest, ADatabaseOfTheSixthVersionKeepsEverythingAndItsTokensAreGoodForIntegrations) {
    write_version(file("cloud.db"), 6);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto pending = wait_for<std::vector<DeviceKey>>(
        [&](auto done) { store->list_pending_keys(std::move(done)); });
    EXPECT_EQ(pending->size(), 1U);
    TokenHash hash;
    std::ranges::fill(hash.bytes, std::uint8_t{'1'});
    const auto access =
        wait_for<Access>([&](auto done) { store->find_access(hash, kNow, std::move(done)); });
    EXPECT_EQ(access->scopes, kAllScopes);
    const HookRecord hook{
        .account = AccountId{1}, .definition = "{}", .created_at = kNow, .updated_at = kNow};
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->add_hook(hook, std::move(done)); }));
    EXPECT_EQ(
        *wait_for<std::vector<HookRecord>>([&](auto done) { store->list_hooks(std::move(done)); }),
        std::vector{hook});
}

TEST_F(UpgradeTest, ADatabaseOfTheSeventhVersionKeepsEverythingAndItsUsersLogInAsBefore) {
    write_version(file("cloud.db"), 7);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto login =
        wait_for<Login>([&](auto done) { store->find_login("guest", std::move(done)); });
    EXPECT_EQ(login->password, "$scrypt$x");
    EXPECT_TRUE(login->otp_secret.empty());
    EXPECT_TRUE(
        wait_for<void>([&](auto done) { store->use_otp(login->account, 0, std::move(done)); }));
}

TEST_F(UpgradeTest, ADatabaseOfTheEighthVersionKeepsEverythingAndItsTokensAreGoodForProducts) {
    write_version(file("cloud.db"), 8);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto login =
        wait_for<Login>([&](auto done) { store->find_login("guest", std::move(done)); });
    EXPECT_EQ(login->otp_secret.size(), 20U);
    TokenHash hash;
    std::ranges::fill(hash.bytes, std::uint8_t{'1'});
    const auto access =
        wait_for<Access>([&](auto done) { store->find_access(hash, kNow, std::move(done)); });
    EXPECT_EQ(access->scopes, kAllScopes);
    const auto hooks =
        wait_for<std::vector<HookRecord>>([&](auto done) { store->list_hooks(std::move(done)); });
    ASSERT_EQ(hooks->size(), 1U);
    EXPECT_EQ(hooks->front().product, 0U);
    const ProductRecord product{
        .id = ProductId{1'000}, .account = AccountId{1}, .slug = "lamps", .name = "Lamps"};
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->add_product(product, std::move(done)); }));
    EXPECT_EQ(*wait_for<std::vector<ProductRecord>>(
                  [&](auto done) { store->list_products(std::move(done)); }),
              std::vector{product});
}

TEST_F(UpgradeTest, ADatabaseOfTheNinthVersionKeepsEverythingAndNobodyIsAnAdministrator) {
    write_version(file("cloud.db"), 9);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    TokenHash hash;
    std::ranges::fill(hash.bytes, std::uint8_t{'4'});
    const auto access =
        wait_for<Access>([&](auto done) { store->find_access(hash, kNow, std::move(done)); });
    EXPECT_EQ(access->scopes, kAllScopes);
    EXPECT_FALSE(access->is_administrator);
    EXPECT_EQ(access->product, 0);
    const auto accounts = wait_for<std::vector<AccountInfo>>(
        [&](auto done) { store->list_accounts(std::move(done)); });
    ASSERT_EQ(accounts->size(), 2U);
    EXPECT_FALSE(accounts->back().is_disabled);
    const auto products = wait_for<std::vector<ProductRecord>>(
        [&](auto done) { store->list_products(std::move(done)); });
    ASSERT_EQ(products->size(), 1U);
    EXPECT_EQ(products->front().slug, "lamps");
    EnvironmentRecord record{.account = AccountId{2}, .revision = 1, .definition = "{}"};
    EXPECT_TRUE(
        wait_for<void>([&](auto done) { store->save_environment(record, std::move(done)); }));
    EXPECT_TRUE(wait_for<void>([&](auto done) {
        store->erase_account(AccountId{2}, std::move(done));
    })) << "with a product and all that is in it";
}

TEST_F(UpgradeTest, ADatabaseOfTheTenthVersionKeepsEverythingAndHasBeenGivenNoTags) {
    write_version(file("cloud.db"), 10);
    const auto store = open(file("cloud.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    const auto environment = wait_for<EnvironmentRecord>([&](auto done) {
        store->find_environment(AccountId{1}, ProductId{}, std::nullopt, std::move(done));
    });
    EXPECT_EQ(environment->revision, 3);
    const auto accounts = wait_for<std::vector<AccountInfo>>(
        [&](auto done) { store->list_accounts(std::move(done)); });
    EXPECT_TRUE(std::ranges::any_of(
        *accounts, [](const AccountInfo& account) { return account.is_administrator; }));
    const auto list = [&] {
        return *wait_for<std::vector<TagKey>>(
            [&](auto done) { store->list_tag_keys(AccountId{1}, std::move(done)); });
    };
    EXPECT_TRUE(list().empty());
    const auto devices = wait_for<std::vector<Registration>>(
        [&](auto done) { store->list_devices(AccountId{1}, std::move(done)); });
    ASSERT_FALSE(devices->empty());
    const TagKey key{
        devices->front().device, AccountId{1}, std::array<std::uint8_t, TagKey::Key::kSize>{7}};
    EXPECT_TRUE(wait_for<void>([&](auto done) { store->set_tag_key(key, std::move(done)); }));
    ASSERT_EQ(list().size(), 1U);
    EXPECT_TRUE(equal(list().front().key.expose(), key.key.expose()));
}

TEST_F(UpgradeTest, WhatItWasIsKeptBesideIt) {
    constexpr std::array<const char*, 2> kSteps = {"", "DROP TABLE link_contexts;"};
    const std::string path = file("cloud.db");
    write_version_1(path);
    {
        const auto database = Database::open(path, Database::Mode::Open, Duration{});
        ASSERT_TRUE(prepare(**database, path, kSteps));
    }
    struct stat status{};
    const std::string old = old_copy_of(path, 1);
    ASSERT_EQ(::stat(old.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 077, 0U);
    const auto store = open(old);
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    EXPECT_TRUE(has_context(*store));
}

TEST_F(UpgradeTest, WithoutRoomForTheCopyNothingIsChanged) {
    constexpr std::array<const char*, 2> kSteps = {"", "DROP TABLE link_contexts;"};
    const std::string path = file("cloud.db");
    write_version_1(path);
    fs::create_directories(old_copy_of(path, 1) + ".new/full");
    const auto database = Database::open(path, Database::Mode::Open, Duration{});
    const auto prepared = prepare(**database, path, kSteps);
    ASSERT_FALSE(prepared);
    EXPECT_NE(prepared.error().detail.find("nothing was changed"), std::string::npos);
    EXPECT_EQ(*version_of(**database, path), 1);
}

class BackupTest : public UpgradeTest {
  protected:
    std::unique_ptr<Database> in_memory() {
        return *Database::open("", Database::Mode::InMemory, Duration{});
    }
    const Keys kKeys{{"one", {1, 2, 3, 0, 5}}, {"two", {}}};
};

TEST_F(BackupTest, HoldsEverythingButSessions) {
    write_version_1(file("cloud.db"));
    const auto running = open(file("cloud.db"));
    {
        const auto backup = *Database::open(file("backup"), Database::Mode::Create, Duration{});
        ASSERT_TRUE(fill_backup(file("cloud.db"), kKeys, *backup));
    }
    EXPECT_TRUE(has_context(*running)) << "the cloud itself goes on";
    EXPECT_EQ(read_file(file("backup")).find("context of one"), std::string::npos);
    const auto refused = SqliteStore::open(file("backup"), {}, [](const auto&) {});
    EXPECT_EQ(refused.error().code, Error::Unsupported) << "a backup is no cloud";
    {
        const auto backup = *Database::open(file("backup"), Database::Mode::Open, Duration{});
        const auto keys = restore_backup(*backup, "backup", file("new.db"));
        ASSERT_TRUE(keys) << keys.error().detail;
        EXPECT_EQ(*keys, kKeys);
    }
    EXPECT_EQ(read_file(file("new.db")).find("backup_keys"), std::string::npos);
    const auto store = open(file("new.db"));
    ASSERT_NE(store, nullptr);
    expect_content(*store);
    EXPECT_FALSE(has_context(*store));
}

TEST_F(BackupTest, GoesThroughMemoryAsBytes) {
    write_version_1(file("cloud.db"));
    const auto running = open(file("cloud.db"));  // in WAL mode from now on
    const auto backup = in_memory();
    ASSERT_TRUE(fill_backup(file("cloud.db"), kKeys, *backup));
    const auto bytes = backup->serialize();
    ASSERT_TRUE(bytes);
    const auto again = in_memory();
    ASSERT_TRUE(again->deserialize(*bytes));
    const auto keys = restore_backup(*again, "backup", file("new.db"));
    ASSERT_TRUE(keys) << keys.error().detail;
    EXPECT_EQ(*keys, kKeys);
    expect_content(*open(file("new.db")));
}

TEST_F(BackupTest, WhatIsNoneIsRefused) {
    write_version_1(file("cloud.db"));
    const auto none = *Database::open(file("cloud.db"), Database::Mode::Open, Duration{});
    EXPECT_EQ(restore_backup(*none, "x", file("new.db")).error().code, Error::Unsupported);
    EXPECT_EQ(restore_backup(*in_memory(), "x", file("new.db")).error().code, Error::Unsupported);

    const auto backup = in_memory();
    ASSERT_TRUE(fill_backup(file("cloud.db"), kKeys, *backup));
    ASSERT_TRUE(backup->execute("PRAGMA user_version = 99"));
    EXPECT_EQ(restore_backup(*backup, "x", file("new.db")).error().code, Error::Unsupported);
    auto bytes = *backup->serialize();
    for (std::size_t i = 4'096; i < bytes.size(); ++i) bytes[i] ^= 0x55;
    const auto damaged = in_memory();
    ASSERT_TRUE(damaged->deserialize(bytes));
    EXPECT_FALSE(restore_backup(*damaged, "x", file("new.db")));
    const auto text = in_memory();
    ASSERT_TRUE(text->deserialize(as_bytes("this is a text and nothing else")));
    EXPECT_FALSE(restore_backup(*text, "x", file("new.db")));
    EXPECT_FALSE(fs::exists(file("new.db")));
}

}  // namespace
}  // namespace sotto::cloud::store_sqlite
