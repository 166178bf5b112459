// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/journal.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace sotto::ports::journal {
namespace {

using hal::RecordId;
using Records = std::map<std::uint16_t, std::vector<std::uint8_t>>;

// A journal as FileStorage writes it, in memory.
class Model {
  public:
    Model() : bytes_(kSizeStep) { encode_header({}, MutBytes{bytes_}.first(kHeaderSize)); }

    void append(std::uint16_t id, Bytes record, Mark mark) {
        const std::size_t size = entry_size(record.size());
        encode_entry({.id = RecordId{id}, .number = count_++, .record = record},
                     mark,
                     MutBytes{bytes_}.subspan(end_, size));
        end_ += size;
    }

    std::vector<std::uint8_t> bytes_;
    std::size_t end_ = kHeaderSize;
    std::uint32_t count_ = 0;
};

std::vector<std::uint8_t> record_of(std::size_t size, std::uint8_t first) {
    std::vector<std::uint8_t> record(size);
    for (std::size_t i = 0; i < size; ++i) record[i] = static_cast<std::uint8_t>(first + i);
    return record;
}

Model filled() {
    Model model;
    model.append(1, record_of(100, 1), Mark::Committed);
    model.append(2, record_of(0, 0), Mark::Committed);
    model.append(7, record_of(700, 9), Mark::Committed);
    model.append(1, record_of(90, 50), Mark::Committed);
    return model;
}

Records records_of(const std::vector<std::uint8_t>& bytes, const Contents& contents) {
    Records records;
    for (const auto& [id, place] : contents.records) {
        const auto entry = parse_entry(Bytes{bytes}.subspan(place.offset, place.size));
        if (entry) records[id.value()] = {entry->record.begin(), entry->record.end()};
    }
    return records;
}

TEST(Journal, TheLastEntryOfARecordCounts) {
    const Model model = filled();
    const auto contents = scan(model.bytes_);
    ASSERT_TRUE(contents);
    EXPECT_TRUE(contents->is_clean);
    EXPECT_EQ(contents->entry_count, 4U);
    EXPECT_EQ(contents->end, model.end_);
    const Records expected{{1, record_of(90, 50)}, {2, {}}, {7, record_of(700, 9)}};
    EXPECT_EQ(records_of(model.bytes_, *contents), expected);
}

TEST(Journal, AnEntryCutAtAnyByteLeavesOldOrNew) {
    const Model before = filled();
    Model after = before;
    after.append(7, record_of(200, 3), Mark::Written);
    const Records old_records = records_of(before.bytes_, *scan(before.bytes_));
    const Records new_records = records_of(after.bytes_, *scan(after.bytes_));
    ASSERT_NE(old_records, new_records);
    for (std::size_t cut = before.end_; cut < after.end_; ++cut) {
        auto bytes = before.bytes_;
        std::copy_n(after.bytes_.begin(), cut, bytes.begin());
        const auto contents = scan(bytes);
        ASSERT_TRUE(contents) << cut;
        EXPECT_EQ(records_of(bytes, *contents), old_records) << cut;
        EXPECT_EQ(contents->is_clean, cut == before.end_);
    }
    EXPECT_FALSE(scan(after.bytes_)->is_clean);  // perhaps in memory only: to be written again
}

TEST(Journal, SectorsThatArriveInAnyOrderLeaveOldOrNew) {
    constexpr std::size_t kSector = 512;
    const Model before = filled();
    Model after = before;
    after.append(7, record_of(2'000, 3), Mark::Written);
    const Records old_records = records_of(before.bytes_, *scan(before.bytes_));
    const std::size_t first = before.end_ / kSector;
    const std::size_t count = after.end_ / kSector + 1 - first;
    for (unsigned arrived = 0; arrived + 1 < 1U << count; ++arrived) {
        auto bytes = before.bytes_;
        for (std::size_t i = 0; i < count; ++i) {
            if ((arrived >> i & 1U) == 0) continue;
            const auto offset = static_cast<std::ptrdiff_t>((first + i) * kSector);
            std::copy_n(after.bytes_.begin() + offset, kSector, bytes.begin() + offset);
        }
        const auto contents = scan(bytes);
        ASSERT_TRUE(contents) << arrived;
        EXPECT_EQ(records_of(bytes, *contents), old_records) << arrived;
    }
}

TEST(Journal, AFlippedBitIsNoticedWhereverItIs) {
    const Model model = filled();
    const Records records = records_of(model.bytes_, *scan(model.bytes_));
    for (std::size_t bit = 0; bit < model.end_ * 8; ++bit) {
        auto bytes = model.bytes_;
        bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const auto contents = scan(bytes);
        if (contents) {
            // Only a mark may differ, and marks carry no content.
            EXPECT_EQ(records_of(bytes, *contents), records) << bit;
        } else {
            EXPECT_EQ(contents.error(), Error::Malformed);
        }
    }
}

TEST(Journal, DamageIsNotTakenForATornTail) {
    Model model = filled();
    const std::size_t last = model.end_;
    model.append(9, record_of(10, 1), Mark::Written);
    model.append(9, record_of(10, 2), Mark::Written);
    auto bytes = model.bytes_;
    bytes[last + kEntryHeaderSize] ^= 1;  // unmarked, but a whole entry follows
    EXPECT_EQ(scan(bytes).error(), Error::Malformed);
    bytes = model.bytes_;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(last), entry_size(10), 0);
    EXPECT_EQ(scan(bytes).error(), Error::Malformed);
}

TEST(Journal, WhatIsNoJournalIsRefused) {
    const Model model = filled();
    EXPECT_EQ(scan({}).error(), Error::Malformed);
    EXPECT_EQ(scan(Bytes{model.bytes_}.first(kSizeStep - 1)).error(), Error::Malformed);
    EXPECT_EQ(scan(Bytes{model.bytes_}.first(model.end_)).error(), Error::Malformed);
    const std::vector<std::uint8_t> zeros(kSizeStep);
    EXPECT_EQ(scan(zeros).error(), Error::Malformed);
    auto repeated = model.bytes_;  // an entry that is there twice has a wrong number
    std::copy_n(repeated.begin() + kHeaderSize,
                entry_size(100),
                repeated.begin() + static_cast<std::ptrdiff_t>(model.end_));
    EXPECT_EQ(scan(repeated).error(), Error::Malformed);
}

}  // namespace
}  // namespace sotto::ports::journal
