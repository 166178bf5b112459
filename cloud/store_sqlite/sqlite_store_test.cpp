// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/sqlite_store.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cloud/store_sqlite/schema.hpp"
#include "testing/hook_contract.hpp"
#include "testing/key_contract.hpp"
#include "testing/otp_contract.hpp"
#include "testing/people_contract.hpp"
#include "testing/product_contract.hpp"
#include "testing/tag_contract.hpp"

namespace sotto::cloud::store_sqlite {
namespace {

class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sotto-XXXXXX").string();
        path_ = mkdtemp(pattern.data());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    std::string file(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

// The owner's thread, as far as a store needs one.
class Inbox {
  public:
    store::Executor executor() {
        return [this](auto function) {
            const std::scoped_lock lock{mutex_};
            posted_.push_back(std::move(function));
            changed_.notify_one();
        };
    }
    void run_one() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !posted_.empty(); });
        const auto function = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        function();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
};

constexpr Options kCreate{.mode = Database::Mode::Create};
constexpr Options kOpen{.mode = Database::Mode::Open, .busy_timeout = milliseconds(20)};

class SqliteFixture {
  public:
    static constexpr bool kRemembers = true;

    SqliteFixture() { open(kCreate); }
    store::Store& store() { return *store_; }
    void settle() {
        bool settled = false;
        store_->get_setting("", [&settled](const auto&) { settled = true; });
        while (!settled) inbox_.run_one();
    }
    void reopen() {
        settle();
        store_.reset();
        open(kOpen);
    }

  private:
    void open(Options options) {
        auto store = SqliteStore::open(folder_.file("cloud.db"), options, inbox_.executor());
        ASSERT_TRUE(store) << store.error().detail;
        store_ = *std::move(store);
    }

    TemporaryFolder folder_;
    Inbox inbox_;
    std::unique_ptr<SqliteStore> store_;
};

Result<void, Failure> try_open(const std::string& path, Options options = kOpen) {
    auto store = SqliteStore::open(path, options, [](const auto&) {});
    if (!store) return store.error();
    return {};
}

std::string make_database(const TemporaryFolder& folder) {
    const std::string path = folder.file("cloud.db");
    EXPECT_TRUE(try_open(path, kCreate));
    return path;
}

std::unique_ptr<Database> raw(const std::string& path) {
    return Database::open(path, Database::Mode::Open, milliseconds(20)).value();
}

TEST(SqliteStoreOpen, SaysThatThereIsNoDatabase) {
    const TemporaryFolder folder;
    const auto result = try_open(folder.file("cloud.db"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Error::NotFound);
    EXPECT_FALSE(std::filesystem::exists(folder.file("cloud.db")));
}

TEST(SqliteStoreOpen, NeverCreatesOverAnExistingFile) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    EXPECT_EQ(try_open(path, kCreate).error().code, Error::AlreadyExists);
    EXPECT_TRUE(try_open(path));
}

TEST(SqliteStoreOpen, RefusesWhatIsNoDatabase) {
    const TemporaryFolder folder;
    const std::string path = folder.file("cloud.db");
    std::ofstream{path} << "this is a letter to my aunt, and long enough to be looked at: "
                        << std::string(5'000, 'x');
    EXPECT_EQ(try_open(path).error().code, Error::Malformed);
}

TEST(SqliteStoreOpen, RefusesADamagedDatabaseAndLeavesItAlone) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    const auto size = std::filesystem::file_size(path);
    {
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(4'096 + 100);  // within the second page
        file << std::string(3'000, '\xff');
        file.seekp(2 * 4'096);
        file << std::string(4'096, '\xff');
    }
    const auto result = try_open(path);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Error::Malformed) << result.error().detail;
    EXPECT_EQ(std::filesystem::file_size(path), size);
}

TEST(SqliteStoreOpen, RefusesATruncatedDatabase) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    EXPECT_EQ(try_open(path).error().code, Error::Malformed);
}

TEST(SqliteStoreOpen, RefusesADatabaseOfAnotherProgram) {
    const TemporaryFolder folder;
    const std::string path = folder.file("cloud.db");
    EXPECT_TRUE(Database::open(path, Database::Mode::Create, milliseconds(20))
                    .value()
                    ->execute("CREATE TABLE other (a)"));
    EXPECT_EQ(try_open(path).error().code, Error::Unsupported);
}

TEST(SqliteStoreOpen, RefusesANewerSchema) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    EXPECT_TRUE(raw(path)->execute("PRAGMA user_version = 99"));
    const auto result = try_open(path);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Error::Unsupported);
    EXPECT_NE(result.error().detail.find("schema 99"), std::string::npos);
}

TEST(SqliteStoreOpen, SaysThatAnotherProgramHoldsTheLock) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    const auto other = raw(path);
    EXPECT_TRUE(
        other->execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE;"
                       "INSERT INTO settings VALUES ('a', 'b');"));
    EXPECT_EQ(try_open(path).error().code, Error::Busy);
}

TEST(SqliteStoreOpen, IsDurableAtCommit) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    const auto database = raw(path);
    ASSERT_TRUE(prepare(*database, path));
    EXPECT_EQ(database->text_of("PRAGMA journal_mode").value(), "wal");
    EXPECT_EQ(database->text_of("PRAGMA synchronous").value(), "2");  // FULL
}

TEST(Migration, BringsAnOlderFileForwardStepByStep) {
    const TemporaryFolder folder;
    const std::string path = folder.file("cloud.db");
    const auto database = Database::open(path, Database::Mode::Create, milliseconds(20)).value();
    constexpr std::array kOne = {"CREATE TABLE first (a);"};
    constexpr std::array kTwo = {kOne[0], "CREATE TABLE second (b);"};
    EXPECT_TRUE(prepare(*database, path, kOne));
    EXPECT_TRUE(database->execute("INSERT INTO first VALUES (1)"));
    EXPECT_TRUE(prepare(*database, path, kTwo));
    EXPECT_EQ(database->text_of("PRAGMA user_version").value(), "2");
    EXPECT_EQ(database->text_of("SELECT count(*) FROM first").value(), "1");
    EXPECT_FALSE(prepare(*database, path, kOne));
}

TEST(Migration, CountsTheLettersOfAnOlderFile) {
    const TemporaryFolder folder;
    const std::string path = folder.file("cloud.db");
    const auto database = Database::open(path, Database::Mode::Create, milliseconds(20)).value();
    EXPECT_TRUE(prepare(*database, path, migrations().first(1)));
    EXPECT_TRUE(database->execute(
        "INSERT INTO letters (mailbox, device, account, app, stored_ms, expires_ms, size, message) "
        "VALUES (x'01', x'02', 7, x'03', 1, 2, 5, x'0102030405'), "
        "(x'01', x'02', 7, x'03', 1, 2, 1, x'01')"));
    EXPECT_TRUE(prepare(*database, path));
    EXPECT_EQ(database->text_of("SELECT count || ':' || bytes FROM mail_usage").value(), "2:6");
    EXPECT_TRUE(database->execute("DELETE FROM letters WHERE size = 5"));
    EXPECT_EQ(database->text_of("SELECT count || ':' || bytes FROM mail_usage").value(), "1:1");
}

TEST(Migration, ThatFailsLeavesTheOldVersion) {
    const TemporaryFolder folder;
    const std::string path = folder.file("cloud.db");
    const auto database = Database::open(path, Database::Mode::Create, milliseconds(20)).value();
    constexpr std::array kBad = {"CREATE TABLE first (a);",
                                 "CREATE TABLE second (b); INSERT INTO nowhere VALUES (1);"};
    EXPECT_EQ(prepare(*database, path, kBad).error().code, Error::StorageFailed);
    EXPECT_EQ(database->text_of("PRAGMA user_version").value(), "1");
    EXPECT_EQ(database->text_of("SELECT count(*) FROM sqlite_schema").value(), "1");
}

TEST(SqliteStore, AnswersStorageFailedToAllOfABatchThatCannotBeCommitted) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    Inbox inbox;
    auto store = SqliteStore::open(path, kOpen, inbox.executor()).value();
    const auto other = raw(path);
    EXPECT_TRUE(other->execute("BEGIN IMMEDIATE"));
    std::vector<Status> answers;
    for (int i = 0; i < 3; i++) {
        store->set_setting("a", "b", [&](const Status& status) { answers.push_back(status); });
    }
    while (answers.size() < 3) inbox.run_one();
    for (const Status& answer : answers) EXPECT_EQ(answer.error(), Error::StorageFailed);
    EXPECT_TRUE(other->execute("ROLLBACK"));
    bool stored = false;
    store->set_setting("a", "b", [&](const Status& status) { stored = status.has_value(); });
    inbox.run_one();
    EXPECT_TRUE(stored) << "a failed batch must not poison the next";
}

TEST(SqliteStore, BoundsItsQueue) {
    const TemporaryFolder folder;
    const std::string path = make_database(folder);
    Inbox inbox;
    auto store = SqliteStore::open(path, {.busy_timeout = seconds(60)}, inbox.executor()).value();
    const auto other = raw(path);
    EXPECT_TRUE(other->execute("BEGIN IMMEDIATE"));  // the writer waits for this
    std::size_t busy = 0;
    std::size_t answered = 0;
    const std::size_t count = kQueueMax + kBatchMax + 1;
    for (std::size_t i = 0; i < count; i++) {
        store->set_setting("a", "b", [&](const Status& status) {
            answered++;
            if (!status && status.error() == Error::Busy) busy++;
        });
    }
    EXPECT_TRUE(other->execute("ROLLBACK"));
    while (answered < count) inbox.run_one();
    EXPECT_GE(busy, 1U);
}

}  // namespace
}  // namespace sotto::cloud::store_sqlite

namespace sotto::testing {
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, AccountContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, KeyContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, HookContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, OtpContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, ProductContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, PeopleContract, cloud::store_sqlite::SqliteFixture);
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, TagContract, cloud::store_sqlite::SqliteFixture);
}  // namespace sotto::testing
