// SPDX-License-Identifier: Apache-2.0
// The bytes of a journal of records (docs/formats/state_folder.md). Pure: no file is touched here.
// Allocates the index; entries are views into the caller's bytes.
#pragma once

#include <array>
#include <map>
#include <optional>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/hal/storage.hpp"

namespace sotto::ports::journal {

inline constexpr std::size_t kHeaderSize = 32;
inline constexpr std::size_t kEntryHeaderSize = 20;
inline constexpr std::size_t kMarkOffset = 3;  // within an entry
inline constexpr std::size_t kRecordSizeMax = 4'096;
inline constexpr std::size_t kSizeStep = 65'536;  // a journal's size is a multiple
inline constexpr std::size_t kSizeMax = 16 * kSizeStep;

// Where a journal was created: a hash of machine and file, which a copy does not share.
using Origin = std::array<std::uint8_t, 16>;

struct Entry {
    hal::RecordId id;
    std::uint32_t number = 0;  // of the entry in its journal, from 0
    Bytes record;
};

constexpr std::size_t entry_size(std::size_t record_size) { return kEntryHeaderSize + record_size; }

enum class Mark : std::uint8_t {
    Written = 0,       // on its way to the disk
    Committed = 0xff,  // on the disk; in truth any value but 0
};

// Precondition of both: `out` has kHeaderSize or entry_size() bytes; record.size() <=
// kRecordSizeMax.
void encode_header(const Origin& origin, MutBytes out);
void encode_entry(const Entry& entry, Mark mark, MutBytes out);

// The entry at the front of `bytes`, if a whole one is there and its checksum holds.
std::optional<Entry> parse_entry(Bytes bytes);

struct Place {
    std::size_t offset = 0;  // of the entry
    std::size_t size = 0;    // of the entry
};

struct Contents {
    Origin origin{};
    std::map<hal::RecordId, Place> records;
    std::uint32_t entry_count = 0;
    std::size_t end = kHeaderSize;  // where the next entry goes
    bool is_clean = true;           // false: the last store was cut short, or may be in memory only
};

// Error::Malformed if these are not the bytes of a journal or if one that was complete is damaged.
Result<Contents> scan(Bytes journal);

}  // namespace sotto::ports::journal
