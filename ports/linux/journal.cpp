// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/journal.hpp"

#include "core/base/assert.hpp"
#include "core/base/reader.hpp"
#include "core/base/writer.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::ports::journal {
namespace {

constexpr std::string_view kMagic = "SOTTO-J1";
constexpr std::uint16_t kEntryMagic = 0x5352;
constexpr std::uint8_t kKindStore = 1;
constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kChecksumOffset = kEntryHeaderSize - kChecksumSize;

using Checksum = std::array<std::uint8_t, kChecksumSize>;

Checksum first_of(const crypto::Hash& hash) {
    Checksum checksum{};
    std::copy_n(hash.begin(), checksum.size(), checksum.begin());
    return checksum;
}

// The mark is left out: it is written later.
Checksum entry_checksum(Bytes entry) {
    return first_of(
        crypto::sha256(entry.first(kMarkOffset),
                       entry.subspan(kMarkOffset + 1, kChecksumOffset - kMarkOffset - 1),
                       entry.subspan(kEntryHeaderSize)));
}

bool is_blank(Bytes bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// An entry that was being written when the power went has no mark, and nothing was written after
// it. Anything else that can't be read was complete once.
bool is_torn(Bytes tail) {
    if (tail.size() <= kMarkOffset || tail[kMarkOffset] != 0) return false;
    for (std::size_t offset = 1; offset < tail.size(); ++offset) {
        if (parse_entry(tail.subspan(offset))) return false;
    }
    return true;
}

}  // namespace

void encode_header(const Origin& origin, MutBytes out) {
    SOTTO_ASSERT(out.size() == kHeaderSize);
    Writer writer{out};
    writer.text(kMagic).bytes(origin);
    writer.bytes(first_of(crypto::sha256(writer.written())));
    SOTTO_ASSERT(writer.finish());
}

void encode_entry(const Entry& entry, Mark mark, MutBytes out) {
    SOTTO_ASSERT(out.size() == entry_size(entry.record.size()));
    SOTTO_ASSERT(entry.record.size() <= kRecordSizeMax);
    Writer writer{out};
    writer.u16_be(kEntryMagic)
        .u8(kKindStore)
        .u8(static_cast<std::uint8_t>(mark))
        .u16_be(entry.id.value());
    writer.u16_be(static_cast<std::uint16_t>(entry.record.size())).u32_be(entry.number);
    const MutBytes checksum = writer.reserve(kChecksumSize);
    writer.bytes(entry.record);
    SOTTO_ASSERT(writer.finish());
    const Checksum value = entry_checksum(out);
    std::copy(value.begin(), value.end(), checksum.begin());
}

std::optional<Entry> parse_entry(Bytes bytes) {
    if (bytes.size() < kEntryHeaderSize) return std::nullopt;
    Reader reader{bytes};
    const std::uint16_t magic = *reader.u16_be();
    const std::uint8_t kind = *reader.u8();
    if (magic != kEntryMagic || kind != kKindStore || !reader.u8()) return std::nullopt;
    Entry entry;
    entry.id = hal::RecordId{*reader.u16_be()};
    const std::size_t size = *reader.u16_be();
    entry.number = *reader.u32_be();
    const Bytes checksum = *reader.take(kChecksumSize);
    if (size > kRecordSizeMax || size > reader.size()) return std::nullopt;
    if (!equal(checksum, entry_checksum(bytes.first(entry_size(size))))) return std::nullopt;
    entry.record = *reader.take(size);
    return entry;
}

Result<Contents> scan(Bytes journal) {
    if (journal.empty() || journal.size() % kSizeStep != 0) return Error::Malformed;
    Contents contents;
    std::array<std::uint8_t, kHeaderSize> expected{};
    std::copy_n(journal.begin() + kMagic.size(), contents.origin.size(), contents.origin.begin());
    encode_header(contents.origin, expected);
    if (!equal(journal.first(kHeaderSize), expected)) return Error::Malformed;
    while (const auto entry = parse_entry(journal.subspan(contents.end))) {
        if (entry->number != contents.entry_count) return Error::Malformed;
        contents.is_clean = journal[contents.end + kMarkOffset] != 0;
        const std::size_t size = entry_size(entry->record.size());
        contents.records[entry->id] = {.offset = contents.end, .size = size};
        contents.end += size;
        ++contents.entry_count;
    }
    const Bytes tail = journal.subspan(contents.end);
    if (is_blank(tail)) return contents;
    if (!is_torn(tail)) return Error::Malformed;
    contents.is_clean = false;
    return contents;
}

}  // namespace sotto::ports::journal
