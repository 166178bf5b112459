// SPDX-License-Identifier: Apache-2.0
#include "ports/flash/flash_storage.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "ports/flash/memory_flash_test.hpp"

namespace sotto::ports {
namespace {

using Records = std::map<std::uint16_t, std::string>;

constexpr std::size_t kPages = 4;
constexpr std::uint16_t kIds = 6;

Records read_all(FlashStorage& storage) {
    Records records;
    std::array<std::uint8_t, 512> out{};
    for (std::uint16_t id = 0; id < kIds; ++id) {
        const auto size = storage.load(hal::RecordId{id}, out);
        EXPECT_TRUE(size || size.error() == Error::NotFound);
        if (size) records[id] = std::string{as_text(Bytes{out}.first(*size))};
    }
    return records;
}

// A change of a record, or its end.
struct Change {
    std::uint16_t id = 0;
    std::string content;
    bool is_erasure = false;

    static Change draw(std::mt19937& random) {
        Change change;
        change.id = static_cast<std::uint16_t>(random() % kIds);
        change.is_erasure = random() % 5 == 0;
        change.content.resize(random() % 40);
        for (char& c : change.content) c = static_cast<char>(random());
        return change;
    }
    Status make(FlashStorage& storage) const {
        return is_erasure ? storage.erase(hal::RecordId{id})
                          : storage.store(hal::RecordId{id}, as_bytes(content));
    }
    void make(Records& records) const {
        if (is_erasure)
            records.erase(id);
        else
            records[id] = content;
    }
};

TEST(FlashStorage, KeepsTheLastOfEachIdThroughChangesOfItsBanks) {
    MemoryFlash flash{kPages};
    std::mt19937 random{7};
    Records model;
    std::uint32_t sequence = 0;
    for (int boot = 0; boot < 40; ++boot) {
        FlashStorage storage{flash};
        ASSERT_TRUE(storage.open());
        ASSERT_EQ(read_all(storage), model);
        for (int i = 0; i < 50; ++i) {
            const Change change = Change::draw(random);
            ASSERT_TRUE(change.make(storage)) << i;
            change.make(model);
            ASSERT_EQ(read_all(storage), model) << i;
        }
        sequence = storage.sequence();
        flash.reboot();
    }
    EXPECT_GT(sequence, 50U);
}

// Power goes in each operation of each change, again and again: what is found is the state before
// the change or the state after it, it stays so over further boots once anything was stored, and
// everything can go on from there.
TEST(FlashStorage, ACutInAnyOperationLeavesOldOrNew) {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
        std::mt19937 random{seed};
        MemoryFlash flash{kPages, seed};
        Records model;
        for (int i = 0; i < 120; ++i) {
            const Change change = Change::draw(random);
            flash.cut_power_at(random() % 24);
            FlashStorage storage{flash};
            const bool is_open = storage.open().has_value();
            ASSERT_TRUE(is_open || flash.is_cut()) << seed << ' ' << i;
            const bool is_done = is_open && change.make(storage).has_value();
            flash.reboot();

            FlashStorage again{flash};
            ASSERT_TRUE(again.open()) << seed << ' ' << i;
            const Records found = read_all(again);
            Records changed = model;
            change.make(changed);
            ASSERT_TRUE(found == changed || (!is_done && found == model)) << seed << ' ' << i;
            model = found;
            flash.reboot();

            FlashStorage third{flash};
            ASSERT_TRUE(third.open());
            ASSERT_EQ(read_all(third), model) << "it read otherwise before: " << seed << ' ' << i;
        }
    }
}

TEST(FlashStorage, WhatNoLongerCountsIsInNoBank) {
    MemoryFlash flash{kPages};
    FlashStorage storage{flash};
    ASSERT_TRUE(storage.open());
    const auto holds = [&](std::string_view text) {
        return as_text(flash.bytes()).find(text) != std::string_view::npos;
    };
    ASSERT_TRUE(storage.store(hal::RecordId{1}, as_bytes("the first key")));
    EXPECT_TRUE(holds("the first key"));
    ASSERT_TRUE(storage.store(hal::RecordId{1}, as_bytes("another key")));
    EXPECT_FALSE(holds("first"));
    ASSERT_TRUE(storage.erase(hal::RecordId{1}));
    EXPECT_FALSE(holds("another"));
    ASSERT_TRUE(storage.store(hal::RecordId{2}, as_bytes("kept all along")));
    const auto sequence = storage.sequence();
    while (storage.sequence() == sequence)
        ASSERT_TRUE(storage.store(hal::RecordId{3}, as_bytes("fills the bank")));
    ASSERT_TRUE(storage.erase(hal::RecordId{2}));
    EXPECT_FALSE(holds("kept all along"));
}

TEST(FlashStorage, IsBoundedAndSaysSo) {
    MemoryFlash flash{kPages};
    FlashStorage storage{flash};
    ASSERT_TRUE(storage.open());
    const std::string record(100, 'x');
    std::uint16_t id = 0;
    while (storage.store(hal::RecordId{id}, as_bytes(record))) ++id;
    EXPECT_EQ(id, 4);  // (512 - 12) / (100 + 8)
    EXPECT_EQ(storage.store(hal::RecordId{9}, as_bytes(record)).error(), Error::NoSpace);
    EXPECT_EQ(storage.store(hal::RecordId{9}, std::vector<std::uint8_t>(2'000)).error(),
              Error::NoSpace);
    EXPECT_TRUE(storage.store(hal::RecordId{0}, as_bytes("smaller")));
    std::array<std::uint8_t, 4> small{};
    EXPECT_EQ(storage.load(hal::RecordId{0}, small).error(), Error::NoSpace);
    FlashStorage again{flash};
    ASSERT_TRUE(again.open());
    EXPECT_EQ(read_all(again).size(), 4U);
}

TEST(FlashStorage, DamageIsNotTakenForATornEntry) {
    MemoryFlash flash{kPages};
    {
        FlashStorage storage{flash};
        ASSERT_TRUE(storage.open());
        for (std::uint16_t id = 0; id < kIds; ++id)
            ASSERT_TRUE(storage.store(hal::RecordId{id}, as_bytes("the record of its number")));
    }
    const auto good = flash.raw();
    std::size_t end = good.size() / 2;
    while (good[end - 1] == 0xff) --end;
    const std::size_t last = end - 32;  // the last entry: it may have been torn
    for (std::size_t at = 12; at < last; ++at) {
        MemoryFlash damaged{kPages};
        damaged.raw() = good;
        damaged.raw()[at] ^= 0x10;
        const auto before = damaged.raw();
        FlashStorage storage{damaged};
        const Status opened = storage.open();
        ASSERT_FALSE(opened) << at;
        EXPECT_EQ(opened.error(), Error::Malformed) << at;
        EXPECT_EQ(damaged.raw(), before) << at;
    }
    MemoryFlash foreign{kPages};
    foreign.raw() = std::vector<std::uint8_t>(good.size(), 0x00);
    EXPECT_EQ(FlashStorage{foreign}.open().error(), Error::Malformed);
}

}  // namespace
}  // namespace sotto::ports
