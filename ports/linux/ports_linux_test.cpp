// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "ports/linux/file.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::ports {
namespace {

TEST(SystemEntropy, FillsEverything) {
    SystemEntropy entropy;
    std::array<std::uint8_t, 1024> bytes{};
    ASSERT_TRUE(entropy.fill(bytes));
    // 32 zeros in a row would be a 2^-247 event.
    EXPECT_EQ(std::search_n(bytes.begin(), bytes.end(), 32, 0), bytes.end());
    EXPECT_TRUE(entropy.fill({}));
}

TEST(SystemClock, NeverGoesBack) {
    Instant last = SystemClock::now();
    for (int i = 0; i < 1000; ++i) {
        const Instant now = SystemClock::now();
        EXPECT_GE(now, last);
        last = now;
    }
    EXPECT_GT(SystemClock::unix_seconds(), 1'600'000'000);
}

class Files : public ::testing::Test {
  protected:
    Files() {
        std::string name = ::testing::TempDir() + "sotto_files_XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~Files() override { std::filesystem::remove_all(folder_); }

    std::string folder_;
};

TEST_F(Files, AFolderIsMadeWithItsParentsForItsOwnerAlone) {
    const std::string path = folder_ + "/a/b/c/";
    ASSERT_TRUE(open_private_folder(path));
    ASSERT_TRUE(open_private_folder(path));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST_F(Files, AFolderThatEverybodyWritesIsRefused) {
    ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
    const auto opened = open_private_folder(folder_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Error::Refused);
    EXPECT_NE(opened.error().detail.find("chmod"), std::string::npos);
}

TEST_F(Files, AFileIsReplacedAndReadBack) {
    const auto folder = open_private_folder(folder_);
    ASSERT_TRUE(folder);
    ASSERT_TRUE(replace_file(*folder, "f", as_bytes("one")));
    ASSERT_TRUE(replace_file(*folder, "f", as_bytes("two")));
    const auto content = read_file(folder_ + "/f", 3);
    ASSERT_TRUE(content);
    EXPECT_EQ(as_text(*content), "two");
    EXPECT_EQ(read_file(folder_ + "/f", 2).error().code, Error::TooLarge);
    EXPECT_EQ(read_file(folder_ + "/g", 2).error().code, Error::NotFound);
    struct stat status{};
    ASSERT_EQ(::stat((folder_ + "/f").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Files, APipeIsReadToItsEndAndNoFurtherThanAllowed) {
    ASSERT_TRUE(open_private_folder(folder_));
    const std::string path = folder_ + "/pipe";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const std::vector<std::uint8_t> all(200'000, 7);
    const auto read = [&](std::size_t size_max) {
        std::thread writer{[&] {
            const File out{::open(path.c_str(), O_WRONLY)};
            for (std::size_t at = 0; at < all.size(); at += 1'000)
                if (::write(out.descriptor(), all.data() + at, 1'000) != 1'000) return;
        }};
        auto content = read_file(path, size_max);
        writer.join();
        return content;
    };
    ::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(*read(all.size()), all);
    EXPECT_EQ(*read(1'000'000), all);
    EXPECT_EQ(read(all.size() - 1).error().code, Error::TooLarge);
    EXPECT_EQ(read(10).error().code, Error::TooLarge);
}

TEST_F(Files, AFileIsCreatedOnceAndNeverReplaced) {
    const std::string path = folder_ + "/f";
    ASSERT_TRUE(create_file(path, as_bytes("one")));
    const auto again = create_file(path, as_bytes("two"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Error::AlreadyExists);
    EXPECT_EQ(as_text(*read_file(path, 3)), "one");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_FALSE(create_file(folder_ + "/none/f", as_bytes("x")));
    const std::filesystem::directory_iterator all{folder_};
    EXPECT_EQ(std::distance(begin(all), end(all)), 1) << "nothing is left behind";
}

}  // namespace
}  // namespace sotto::ports
