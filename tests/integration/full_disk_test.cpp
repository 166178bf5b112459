// SPDX-License-Identifier: Apache-2.0
// A full disk under cloud, device and app: whoever wants something stored is told in words, nothing
// that was stored is lost, and with room again all goes on by itself.
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>

#include <gtest/gtest.h>

#include "cloud/store_sqlite/sqlite_store.hpp"
#include "ports/linux/file_storage.hpp"
#include "testing/small_disk.hpp"
#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

namespace fs = std::filesystem;
using testing::Folder;
using testing::SmallDisk;

constexpr std::size_t kStateDisk = 512 * 1'024;
constexpr std::size_t kCloudDisk = 2 * 1'024 * 1'024;

::testing::AssertionResult has(const std::string& text, const std::string& words) {
    if (text.find(words) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << '"' << words << "\" is not in: " << text;
}

// Folders and what is in them; not the sockets.
void copy_files(const fs::path& from, const fs::path& to) {
    fs::create_directories(to);
    fs::permissions(to, fs::perms{0700});
    for (const auto& entry : fs::directory_iterator(from)) {
        if (entry.is_directory()) copy_files(entry, to / entry.path().filename());
        if (entry.is_regular_file()) fs::copy(entry, to / entry.path().filename());
    }
}

class FullDiskTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!SmallDisk::is_possible())
            GTEST_SKIP() << "this user may have no mount namespace: no disk to be filled";
    }
};

// A store on the thread of a test.
class Store {
  public:
    using SqliteStore = cloud::store_sqlite::SqliteStore;
    using Mode = cloud::store_sqlite::Database::Mode;

    Store(const std::string& path, Mode mode) {
        auto opened = SqliteStore::open(path, {.mode = mode}, [this](auto function) {
            const std::scoped_lock lock{mutex_};
            posted_.push_back(std::move(function));
            changed_.notify_one();
        });
        if (!opened) throw std::runtime_error(opened.error().detail);
        store_ = *std::move(opened);
    }
    template <class T, class Call>
    Result<T> ask(Call call) {
        std::optional<Result<T>> answer;
        call(*store_, [&answer](Result<T> given) { answer = std::move(given); });
        while (!answer) next()();
        return *std::move(answer);
    }

  private:
    std::function<void()> next() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !posted_.empty(); });
        auto function = std::move(posted_.front());
        posted_.pop_front();
        return function;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
    std::unique_ptr<SqliteStore> store_;
};

Result<void> keep(Store& store, std::size_t number) {
    return store.ask<void>([number](auto& sqlite, auto done) {
        sqlite.save_link_context(
            cloud::model::DeviceId{static_cast<std::uint8_t>(number >> 8),
                                   static_cast<std::uint8_t>(number)},
            std::vector<std::uint8_t>(2'000, static_cast<std::uint8_t>(number)),
            done);
    });
}

bool is_kept(Store& store, std::size_t number) {
    using Context = std::optional<std::vector<std::uint8_t>>;
    const auto loaded = store.ask<Context>([number](auto& sqlite, auto done) {
        sqlite.load_link_context(cloud::model::DeviceId{static_cast<std::uint8_t>(number >> 8),
                                                        static_cast<std::uint8_t>(number)},
                                 done);
    });
    return loaded && *loaded && (*loaded)->front() == static_cast<std::uint8_t>(number);
}

TEST_F(FullDiskTest, TheStoreOfACloudKeepsWhatItHasAndGoesOnWithRoom) {
    const Folder folder;
    const SmallDisk disk{folder / "", kCloudDisk};
    const std::string path = folder / "cloud.db";
    std::size_t kept = 0;
    {
        Store store{path, Store::Mode::Create};
        Status status = keep(store, kept);
        while (status) status = keep(store, ++kept);
        EXPECT_EQ(status.error(), Error::StorageFailed);
        EXPECT_GT(kept, 100U);
        for (std::size_t i = 0; i < kept; ++i) ASSERT_TRUE(is_kept(store, i)) << i;
    }
    Store store{path, Store::Mode::Open};  // as after a crash
    for (std::size_t i = 0; i < kept; ++i) ASSERT_TRUE(is_kept(store, i)) << i;
    EXPECT_FALSE(is_kept(store, kept));
    // Half of it is not needed any more.
    for (std::size_t i = 0; i < kept / 2; ++i) {
        const auto erased = store.ask<void>([i](auto& sqlite, auto done) {
            sqlite.erase_link_context(cloud::model::DeviceId{static_cast<std::uint8_t>(i >> 8),
                                                             static_cast<std::uint8_t>(i)},
                                      done);
        });
        if (!erased) break;
    }
    EXPECT_TRUE(is_kept(store, kept - 1));
}

TEST_F(FullDiskTest, ACloudSaysSoCarriesWhatNeedsNoStoreAndGoesOnWithRoom) {
    Line line;
    ASSERT_TRUE(line.pair()) << line.logs();
    line.kill_cloud();
    const std::string state = line.folder() / "cloud";
    fs::rename(state, line.folder() / "before");
    fs::create_directory(state);
    const SmallDisk disk{state, kCloudDisk};
    copy_files(line.folder() / "before", state);
    line.start_cloud();
    ASSERT_TRUE(testing::eventually([&] { return line.app({"get", "lamp"}).code == 0; }))
        << line.logs();

    disk.fill();
    const Arguments add{"account", "add", "bob", "--state", state};
    bool is_refused = false;
    std::string said;
    for (int i = 0; i < 200 && !is_refused; ++i) {  // the log of the database may have room yet
        const testing::Run added =
            testing::run(SOTTO_BINARY_DIR "/bin/sotto-cloud",
                         {"account", "add", "bob" + std::to_string(i), "--state", state});
        is_refused = added.code != 0;
        said = added.output;
    }
    EXPECT_TRUE(is_refused);
    EXPECT_TRUE(has(said, "space of its disk"));
    EXPECT_EQ(line.app({"call", "lamp", "lamp", "on"}).code, 0) << line.logs();

    disk.make_room();
    const testing::Run added = testing::run(SOTTO_BINARY_DIR "/bin/sotto-cloud", add);
    EXPECT_EQ(added.code, 0) << added.output;
    line.kill_cloud();
    line.start_cloud();
    EXPECT_TRUE(testing::eventually([&] { return line.app({"get", "lamp"}).code == 0; }))
        << line.logs();
}

TEST_F(FullDiskTest, ADeviceGoesOnWithTheRoomThatItHasAndSaysWhatItCannotDo) {
    Line line;
    line.kill_device();
    fs::remove(line.device_socket());
    fs::remove_all(line.folder() / "device");
    fs::create_directory(line.folder() / "device");
    const SmallDisk disk{line.folder() / "device", kStateDisk};
    line.start_device();
    line.air_tap().lead_to_unix(line.device_socket());
    ASSERT_TRUE(testing::eventually([&] { return line.pair(); })) << line.logs();

    disk.fill();  // what a command stores goes into room that was taken before
    for (int i = 0; i < 10; ++i) EXPECT_EQ(line.app({"call", "lamp", "lamp", "on"}).code, 0);
    line.kill_device();
    const testing::Run reset = testing::run(SOTTO_BINARY_DIR "/bin/sotto-device",
                                            {"reset", "--state", line.folder() / "device"});
    EXPECT_NE(reset.code, 0);
    EXPECT_TRUE(has(reset.output, "the device is reset"));
    EXPECT_TRUE(has(reset.output, "Make room"));

    disk.make_room();
    fs::remove(line.device_socket());
    line.start_device();
    EXPECT_TRUE(testing::eventually([&] { return line.pair(); })) << line.logs();
    EXPECT_EQ(line.app({"call", "lamp", "lamp", "off"}).code, 0) << line.logs();
}

TEST_F(FullDiskTest, AnAppSaysSoAndGoesOnWithRoom) {
    Line line;
    fs::create_directory(line.folder() / "app");
    const SmallDisk disk{line.folder() / "app", kStateDisk};
    disk.fill();
    const testing::Run refused = line.app({"devices"});
    const testing::Run pairing = line.app({"pair", testing::read_text(line.folder() / "code")});
    EXPECT_NE(pairing.code, 0);
    EXPECT_TRUE(has(pairing.output, "No space left on device")) << refused.output;

    disk.make_room();
    ASSERT_TRUE(line.pair()) << line.logs();
    disk.fill();
    for (int i = 0; i < 5; ++i) {
        const testing::Run called = line.app({"call", "lamp", "lamp", "on"});
        EXPECT_TRUE(called.code == 0 || has(called.output, "disk"));
    }
    disk.make_room();
    EXPECT_EQ(line.app({"call", "lamp", "lamp", "on"}).code, 0) << "paired, as before";
}

}  // namespace
}  // namespace sotto::integration
