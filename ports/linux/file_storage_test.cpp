// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/file_storage.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sotto::ports {
namespace {

using hal::RecordId;
using Content = std::vector<std::uint8_t>;

Content content_of(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    return {text.begin(), text.end()};
}

class FileStorageTest : public ::testing::Test {
  protected:
    FileStorageTest() {
        std::string name = ::testing::TempDir() + "sotto_storage_XXXXXX";
        root_ = ::mkdtemp(name.data());
        path_ = root_ + "/state";
        journal_ = path_ + "/journal";
    }
    ~FileStorageTest() override { std::filesystem::remove_all(root_); }

    FileStorage open() const {
        auto storage = FileStorage::open(path_);
        if (!storage) throw std::runtime_error{storage.error().detail};
        return *std::move(storage);
    }
    static std::string text_of(FileStorage& storage, std::uint16_t id) {
        Content out(journal::kRecordSizeMax);
        const auto size = storage.load(RecordId{id}, out);
        if (!size) return std::string{to_string(size.error())};
        return std::string{as_text(Bytes{out}.first(*size))};
    }

    std::string root_;
    std::string path_;
    std::string journal_;
};

TEST_F(FileStorageTest, KeepsRecordsOverAReopening) {
    {
        FileStorage storage = open();
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("one")));
        ASSERT_TRUE(storage.store(RecordId{2}, as_bytes("two")));
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("uno")));
        ASSERT_TRUE(storage.erase(RecordId{2}));
        ASSERT_TRUE(storage.erase(RecordId{3}));
        EXPECT_EQ(text_of(storage, 1), "uno");
        EXPECT_EQ(text_of(storage, 2), "NotFound");
    }
    FileStorage storage = open();
    EXPECT_FALSE(storage.is_copy());
    EXPECT_EQ(text_of(storage, 1), "uno");
    EXPECT_EQ(text_of(storage, 2), "NotFound");
    Content small(2);
    EXPECT_EQ(storage.load(RecordId{1}, small).error(), Error::NoSpace);
    const Content large(journal::kRecordSizeMax + 1);
    EXPECT_EQ(storage.store(RecordId{1}, large).error(), Error::NoSpace);
}

TEST_F(FileStorageTest, OnlyItsOwnerMayRead) {
    FileStorage storage = open();
    for (const std::string& name :
         {std::string{"/"}, std::string{"/journal"}, std::string{"/lock"}}) {
        struct stat status{};
        ASSERT_EQ(::stat((path_ + name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0077U, 0U) << name;
    }
}

TEST_F(FileStorageTest, ASecondOpenerIsToldWhoHoldsIt) {
    {
        const FileStorage storage = open();
        const auto second = FileStorage::open(path_);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, Error::Busy);
        EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
    }
    EXPECT_TRUE(FileStorage::open(path_));
}

TEST_F(FileStorageTest, GrowsAndCompactsWithoutLosingAnything) {
    std::map<std::uint16_t, std::string> expected;
    {
        FileStorage storage = open();
        for (unsigned i = 0; i < 500; ++i) {
            const auto id = static_cast<std::uint16_t>(i % 50);
            expected[id] = std::string(i % 1'900, 'x') + std::to_string(i);
            ASSERT_TRUE(storage.store(RecordId{id}, as_bytes(expected[id]))) << i;
        }
    }
    EXPECT_LE(std::filesystem::file_size(journal_), 4 * journal::kSizeStep);
    FileStorage storage = open();
    for (const auto& [id, text] : expected) EXPECT_EQ(text_of(storage, id), text);
}

TEST_F(FileStorageTest, IsBoundedAndSaysSo) {
    FileStorage storage = open();
    const Content record(journal::kRecordSizeMax);
    Status done;
    std::uint16_t id = 0;
    while ((done = storage.store(RecordId{id}, record))) ++id;
    EXPECT_EQ(done.error(), Error::NoSpace);
    EXPECT_GT(id, 200);
    EXPECT_TRUE(storage.erase(RecordId{0}));
    EXPECT_TRUE(storage.store(RecordId{id}, record));
    EXPECT_EQ(text_of(storage, 1).size(), record.size());
}

TEST_F(FileStorageTest, AnErasedRecordIsInNoFile) {
    const std::string secret = "a secret that must not stay behind";
    FileStorage storage = open();
    ASSERT_TRUE(storage.store(RecordId{1}, as_bytes(secret)));
    const std::string second_name = root_ + "/old_journal";
    std::filesystem::create_hard_link(journal_,
                                      second_name);  // to see what becomes of the old file
    ASSERT_TRUE(storage.erase(RecordId{1}));
    for (const std::string& path : {journal_, second_name}) {
        const Content content = content_of(path);
        EXPECT_EQ(std::string_view{as_text(content)}.find(secret), std::string_view::npos) << path;
    }
}

TEST_F(FileStorageTest, ADamagedJournalIsReportedAndKept) {
    {
        FileStorage storage = open();
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("one")));
    }
    Content content = content_of(journal_);
    content[journal::kHeaderSize + journal::kEntryHeaderSize] ^= 1;
    std::ofstream{journal_, std::ios::binary}.write(as_text(content).data(),
                                                    static_cast<std::streamsize>(content.size()));
    const auto opened = FileStorage::open(path_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Error::Malformed);
    EXPECT_NE(opened.error().detail.find(journal_), std::string::npos);
    EXPECT_EQ(content_of(journal_), content);
}

TEST_F(FileStorageTest, DamageAfterOpeningIsNoticedByLoadAndNotSpread) {
    FileStorage storage = open();
    ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("one")));
    ASSERT_TRUE(storage.store(RecordId{2}, as_bytes("two")));
    std::fstream file{journal_, std::ios::binary | std::ios::in | std::ios::out};
    file.seekp(journal::kHeaderSize + journal::kEntryHeaderSize).put('x').flush();
    EXPECT_EQ(text_of(storage, 1), "StorageFailed");
    EXPECT_EQ(text_of(storage, 2), "two");
    EXPECT_EQ(storage.erase(RecordId{2}).error(), Error::StorageFailed);
    EXPECT_EQ(text_of(storage, 2), "two");
}

TEST_F(FileStorageTest, ATornTailIsDroppedAndALeftOverIsRemoved) {
    {
        FileStorage storage = open();
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("old")));
    }
    const Content torn{0x53, 0x52, 1, 0, 0, 1, 0, 3};
    std::fstream{journal_, std::ios::binary | std::ios::in | std::ios::out}
        .seekp(journal::kHeaderSize + journal::entry_size(3))
        .write(as_text(torn).data(), static_cast<std::streamsize>(torn.size()));
    std::ofstream{journal_ + ".new"} << "half";
    {
        FileStorage storage = open();
        EXPECT_FALSE(std::filesystem::exists(journal_ + ".new"));
        EXPECT_EQ(text_of(storage, 1), "old");
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("new")));
    }
    FileStorage storage = open();
    EXPECT_EQ(text_of(storage, 1), "new");
}

TEST_F(FileStorageTest, ACopyIsRecognisedUntilItIsAdopted) {
    {
        FileStorage storage = open();
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("one")));
    }
    std::filesystem::copy(path_, root_ + "/copy", std::filesystem::copy_options::recursive);
    path_ = root_ + "/copy";
    {
        FileStorage storage = open();
        EXPECT_TRUE(storage.is_copy());
        ASSERT_TRUE(storage.store(RecordId{2}, as_bytes("two")));
        ASSERT_TRUE(storage.erase(RecordId{1}));  // rewrites the file, and still
    }
    {
        FileStorage storage = open();
        EXPECT_TRUE(storage.is_copy());
        ASSERT_TRUE(storage.adopt());
        EXPECT_FALSE(storage.is_copy());
    }
    FileStorage storage = open();
    EXPECT_FALSE(storage.is_copy());
    EXPECT_EQ(text_of(storage, 2), "two");
}

TEST_F(FileStorageTest, ClearingLeavesNothingAndAdopts) {
    {
        FileStorage storage = open();
        ASSERT_TRUE(storage.store(RecordId{1}, as_bytes("one")));
    }
    std::filesystem::copy(path_, root_ + "/copy", std::filesystem::copy_options::recursive);
    path_ = root_ + "/copy";
    FileStorage storage = open();
    ASSERT_TRUE(storage.is_copy());
    ASSERT_TRUE(storage.clear());
    EXPECT_FALSE(storage.is_copy());
    EXPECT_EQ(text_of(storage, 1), "NotFound");
}

// A process that stores rising numbers and tells each one only after it was stored.
[[noreturn]] void store_numbers(const std::string& path, int out) {
    auto storage = FileStorage::open(path);
    for (std::uint32_t number = 1; storage; ++number) {
        std::array<std::uint8_t, 4> record{};
        std::copy_n(static_cast<const std::uint8_t*>(static_cast<const void*>(&number)),
                    record.size(),
                    record.begin());
        // Now and then by way of erase(), which replaces the file.
        if (number % 16 == 0 && !storage->erase(RecordId{2})) break;
        if (!storage->store(RecordId{2}, record) || !storage->store(RecordId{1}, record)) break;
        if (::write(out, &number, sizeof(number)) != sizeof(number)) break;
    }
    ::_exit(1);
}

TEST_F(FileStorageTest, WhatWasToldToBeStoredSurvivesKill9) {
    for (int round = 0; round < 5; ++round) {
        int pipe[2];
        ASSERT_EQ(::pipe(pipe), 0);
        const pid_t child = ::fork();
        if (child == 0) store_numbers(path_, pipe[1]);
        ::close(pipe[1]);
        std::uint32_t told = 0;
        for (int i = 0; i < 10 + 9 * round; ++i)
            ASSERT_EQ(::read(pipe[0], &told, sizeof(told)), ssize_t{sizeof(told)});
        ::kill(child, SIGKILL);
        while (::read(pipe[0], &told, sizeof(told)) > 0) {
        }
        ::close(pipe[0]);
        ASSERT_EQ(::waitpid(child, nullptr, 0), child);
        FileStorage storage = open();
        std::uint32_t stored = 0;
        ASSERT_TRUE(storage.load(RecordId{1},
                                 {static_cast<std::uint8_t*>(static_cast<void*>(&stored)), 4}));
        EXPECT_GE(stored, told);
        EXPECT_LE(stored, told + 1);
    }
}

TEST_F(FileStorageTest, AFullDiskLeavesTheOldRecords) {
    const pid_t child = ::fork();
    if (child == 0) {  // a limit on the size of files stands in for the disk
        std::signal(SIGXFSZ, SIG_IGN);
        FileStorage storage = open();
        if (!storage.store(RecordId{1}, as_bytes("one"))) ::_exit(1);
        const rlimit limit{.rlim_cur = 1'000, .rlim_max = 1'000};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        if (storage.erase(RecordId{1})) ::_exit(3);
        ::_exit(text_of(storage, 1) == "one" ? 0 : 4);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    FileStorage storage = open();
    EXPECT_EQ(text_of(storage, 1), "one");
}

TEST_F(FileStorageTest, GoesOnByItselfAfterTheDiskHasFailed) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        FileStorage storage = open();
        if (!storage.store(RecordId{1}, as_bytes("one"))) ::_exit(1);
        const auto limit = [](rlim_t size) {
            const rlimit changed{.rlim_cur = size, .rlim_max = RLIM_INFINITY};
            if (::setrlimit(RLIMIT_FSIZE, &changed) != 0) ::_exit(2);
        };
        limit(journal::kHeaderSize);  // now nothing can be appended, and no file be made
        if (storage.store(RecordId{1}, as_bytes("two"))) ::_exit(3);
        if (storage.store(RecordId{2}, as_bytes("three"))) ::_exit(4);
        if (storage.erase(RecordId{1})) ::_exit(5);
        if (text_of(storage, 1) != "one") ::_exit(6);
        limit(RLIM_INFINITY);
        if (!storage.store(RecordId{2}, as_bytes("four"))) ::_exit(7);
        ::_exit(text_of(storage, 1) == "one" && text_of(storage, 2) == "four" ? 0 : 8);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    FileStorage storage = open();
    EXPECT_EQ(text_of(storage, 1), "one");
    EXPECT_EQ(text_of(storage, 2), "four");
    EXPECT_FALSE(storage.is_copy());
}

}  // namespace
}  // namespace sotto::ports
