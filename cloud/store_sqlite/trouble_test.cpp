// SPDX-License-Identifier: Apache-2.0
// A database in trouble while the cloud runs: locked, damaged, or just large.
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>

#include <gtest/gtest.h>

#include "cloud/store_sqlite/sqlite_store.hpp"
#include "testing/program.hpp"

namespace sotto::cloud::store_sqlite {
namespace {

constexpr Instant kNow{1'000'000};
constexpr Duration kBusyTimeout = milliseconds(50);

// A store on the thread of a test.
class Asked {
  public:
    explicit Asked(const std::string& path, Database::Mode mode) {
        auto opened = SqliteStore::open(
            path, {.mode = mode, .busy_timeout = kBusyTimeout}, [this](auto function) {
                const std::scoped_lock lock{mutex_};
                posted_.push_back(std::move(function));
                changed_.notify_one();
            });
        EXPECT_TRUE(opened) << opened.error().detail;
        store_ = *std::move(opened);
    }
    SqliteStore& store() { return *store_; }
    void answer_one() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !posted_.empty(); });
        const auto function = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        function();
    }
    Status save(std::uint16_t number, std::size_t size = 2'000) {
        std::optional<Status> status;
        store_->save_link_context(device(number),
                                  std::vector<std::uint8_t>(size, 0x5a),
                                  [&status](const Status& done) { status = done; });
        while (!status) answer_one();
        return *status;
    }
    // Nothing: it cannot be read.
    std::optional<bool> is_there(std::uint16_t number) {
        std::optional<Result<std::optional<std::vector<std::uint8_t>>>> answer;
        store_->load_link_context(device(number),
                                  [&answer](const auto& loaded) { answer = loaded; });
        while (!answer) answer_one();
        if (!*answer) return std::nullopt;
        return (*answer)->has_value();
    }
    static model::DeviceId device(std::uint16_t number) {
        return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
    std::unique_ptr<SqliteStore> store_;
};

TEST(DatabaseInTrouble, ALockOfAnotherProgramIsWaitedForAndThenToldAndOutlived) {
    const testing::Folder folder;
    const std::string path = folder / "cloud.db";
    Asked asked{path, Database::Mode::Create};
    ASSERT_TRUE(asked.save(1));
    {
        const auto other = Database::open(path, Database::Mode::Open, kBusyTimeout).value();
        ASSERT_TRUE(other->execute("BEGIN IMMEDIATE"));
        EXPECT_EQ(asked.save(2).error(), Error::StorageFailed);
        EXPECT_EQ(asked.is_there(1), true) << "who only reads need not wait";
        ASSERT_TRUE(other->execute("ROLLBACK"));
    }
    EXPECT_TRUE(asked.save(2));
    EXPECT_EQ(asked.is_there(2), true);
}

TEST(DatabaseInTrouble, DamageWhileItRunsIsAnErrorAndNoCrashAndTheRestStaysReadable) {
    const testing::Folder folder;
    const std::string path = folder / "cloud.db";
    constexpr std::uint16_t kCount = 400;  // 8 MB: more than the cache of a connection
    {
        Asked asked{path, Database::Mode::Create};
        for (std::uint16_t i = 0; i < kCount; ++i) ASSERT_TRUE(asked.save(i, 20'000));
    }
    Asked asked{path, Database::Mode::Open};
    {
        std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(2 * 1'024 * 1'024);
        file << std::string(1'024 * 1'024, '\x5f');
    }
    int unreadable = 0;
    int readable = 0;
    for (std::uint16_t i = 0; i < kCount; ++i) {
        const auto there = asked.is_there(i);
        unreadable += there ? 0 : 1;
        readable += there == true ? 1 : 0;
    }
    EXPECT_GT(unreadable, 0);
    EXPECT_GT(readable, 0);
    // Asked all at once, nobody suffers from another's damage.
    int answered = 0;
    int together = 0;
    for (std::uint16_t i = 0; i < kCount; ++i) {
        asked.store().load_link_context(Asked::device(i), [&](const auto& loaded) {
            ++answered;
            together += loaded && *loaded ? 1 : 0;
        });
    }
    while (answered < kCount) asked.answer_one();
    EXPECT_EQ(together, readable);
    static_cast<void>(asked.save(kCount));  // whatever it answers, it answers
}

TEST(DatabaseInTrouble, TenThousandMailboxesAreNoTrouble) {
    const testing::Folder folder;
    Asked asked{folder / "cloud.db", Database::Mode::Create};
    constexpr std::uint16_t kCount = 10'000;
    std::size_t answered = 0;
    for (std::uint16_t i = 0; i < kCount; ++i) {
        model::Letter letter{.to = model::MailboxKind::App,
                             .device = Asked::device(i),
                             .app = {.account = model::AccountId{1}, .app = {}},
                             .stored_at = kNow,
                             .expires_at = kNow + minutes(i % 2 == 0 ? 10 : 20),
                             .message = {0x5a}};
        letter.app.app.bytes[0] = static_cast<std::uint8_t>(i >> 8);
        letter.app.app.bytes[1] = static_cast<std::uint8_t>(i);
        asked.store().put(std::move(letter),
                          {.mailbox = {.count_max = 1, .bytes_max = 10}},
                          [&answered](const auto& put) { answered += put ? 1 : 0; });
        while (answered + 200 < i) asked.answer_one();
    }
    while (answered < kCount) asked.answer_one();
    std::size_t erased = 0;
    for (std::optional<std::size_t> last; !last || *last > 0;) {  // in as many steps as it takes
        last.reset();
        asked.store().purge(kNow + minutes(10),
                            [&last](const auto& purged) { last = purged->count; });
        while (!last) asked.answer_one();
        erased += *last;
    }
    EXPECT_EQ(erased, kCount / 2U);
}

}  // namespace
}  // namespace sotto::cloud::store_sqlite
