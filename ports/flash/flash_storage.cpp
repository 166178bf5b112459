// SPDX-License-Identifier: Apache-2.0
#include "ports/flash/flash_storage.hpp"

#include <algorithm>

namespace sotto::ports {
namespace {

constexpr std::size_t kWord = Flash::kWordSize;
constexpr std::uint32_t kErased = 0xffff'ffff;
constexpr std::uint32_t kMagic = 0x4f54'5301;  // "STO" backwards, format 1
constexpr std::uint32_t kTombstone = 0x8000'0000;
constexpr std::size_t kRecordSizeMax = 1'024;

// Of a bank: magic, sequence, check. Of an entry: one word of id and size before, one of check
// behind.
constexpr std::size_t kHeaderSize = 3 * kWord;
constexpr std::size_t kFrameSize = 2 * kWord;

constexpr std::size_t padded(std::size_t size) { return (size + kWord - 1) & ~(kWord - 1); }

// CRC-32 (ISO 3309), bit by bit: a table would take more than the time is worth.
class Crc {
  public:
    void update(std::uint32_t word) {
        state_ ^= word;
        for (int bit = 0; bit < 32; ++bit)
            state_ = (state_ >> 1U) ^ ((state_ & 1U) != 0 ? 0xedb8'8320U : 0U);
    }
    // Neither the value of an erased word nor that of a wiped one.
    std::uint32_t finish() const { return state_ == 0 || state_ == kErased ? 1 : state_; }

  private:
    std::uint32_t state_ = 0xffff'ffff;
};

// Little-endian; what is missing of the last word is 0.
std::uint32_t word_of(Bytes bytes, std::size_t offset) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < kWord && offset + i < bytes.size(); ++i)
        word |= std::uint32_t{bytes[offset + i]} << (8U * i);
    return word;
}

std::uint32_t check_of(std::uint32_t head, Bytes content) {
    Crc crc;
    crc.update(head);
    for (std::size_t i = 0; i < content.size(); i += kWord) crc.update(word_of(content, i));
    return crc.finish();
}

std::uint32_t check_of_header(std::uint32_t sequence) {
    Crc crc;
    crc.update(kMagic);
    crc.update(sequence);
    return crc.finish();
}

}  // namespace

FlashStorage::FlashStorage(Flash& flash) : flash_(flash), bank_size_(flash.bytes().size() / 2) {
    SOTTO_ASSERT(bank_size_ >= flash.page_size() && bank_size_ % flash.page_size() == 0);
}

std::uint32_t FlashStorage::word_at(std::size_t bank, std::size_t offset) const {
    return word_of(flash_.bytes(), bank * bank_size_ + offset);
}

std::optional<std::uint32_t> FlashStorage::sequence_of(std::size_t bank) const {
    const std::uint32_t sequence = word_at(bank, kWord);
    if (word_at(bank, 0) != kMagic) return std::nullopt;
    if (word_at(bank, 2 * kWord) != check_of_header(sequence)) return std::nullopt;
    return sequence;
}

bool FlashStorage::is_erased(std::size_t bank, std::size_t from) const {
    return std::ranges::all_of(flash_.bytes().subspan(bank * bank_size_ + from, bank_size_ - from),
                               [](std::uint8_t byte) { return byte == 0xff; });
}

Status FlashStorage::open() {
    const auto first = sequence_of(0);
    const auto second = sequence_of(1);
    if (!first && !second) return begin();
    // It wraps around after more changes than any flash endures.
    bank_ = !first || (second && *second > *first) ? 1 : 0;
    sequence_ = bank_ == 0 ? *first : *second;
    SOTTO_TRY(walk());
    // A word whose writing was cut short may read one way now and another way later. So whatever
    // was the last to be written is written once more before anything is decided upon it.
    if ((first && second) || end_ == kHeaderSize) SOTTO_TRY(write_header(bank_, sequence_));
    if (!is_erased(1 - bank_, 0)) SOTTO_TRY(erase_bank(1 - bank_));
    return settle();
}

// There is no header: it is new, or power went while it became an empty storage.
Status FlashStorage::begin() {
    if (!is_erased(0, kHeaderSize) || !is_erased(1, 0)) return Error::Malformed;
    if (!is_erased(0, 0)) SOTTO_TRY(flash_.erase_page(0));
    SOTTO_TRY(write_header(0, 1));
    bank_ = 0;
    sequence_ = 1;
    end_ = kHeaderSize;
    is_full_ = false;
    return {};
}

// Finds the end of the bank's entries. A broken one is one of two things: the last, which power cut
// short; or one that was being wiped, and a whole one of the same id follows.
Status FlashStorage::walk() {
    end_ = bank_size_;
    std::size_t end = kHeaderSize;
    for (auto entry = entry_at(end); entry; entry = entry_at(entry->end)) {
        if (state_of(*entry) != State::Broken) end = entry->end;
    }
    end_ = end;
    is_full_ = !is_erased(bank_, end_);
    if (is_full_ && !is_torn_tail(end_)) return Error::Malformed;
    for (std::size_t at = kHeaderSize; at < end_;) {
        const auto entry = entry_at(at);
        if (state_of(*entry) == State::Broken && !last_of(entry->id, entry->end))
            return Error::Malformed;
        at = entry->end;
    }
    return {};
}

// Writes the last entry once more.
Status FlashStorage::settle() {
    std::optional<Entry> last;
    for (std::size_t at = kHeaderSize; at < end_; at = last->end) last = entry_at(at);
    if (!last || state_of(*last) != State::Whole) return {};
    return append({.id = last->id, .is_tombstone = last->is_tombstone, .content = last->content});
}

// One entry at most, cut short anywhere, stands there: nothing whole, and nothing beyond its reach.
bool FlashStorage::is_torn_tail(std::size_t from) const {
    const std::size_t reach = from + kFrameSize + kRecordSizeMax;
    if (reach < bank_size_ && !is_erased(bank_, reach)) return false;
    for (std::size_t at = from; at + kFrameSize <= bank_size_; at += kWord) {
        const auto entry = entry_at(at);
        if (entry && state_of(*entry) == State::Whole) return false;
    }
    return true;
}

std::optional<FlashStorage::Entry> FlashStorage::entry_at(std::size_t offset) const {
    if (offset + kFrameSize > bank_size_) return std::nullopt;
    const std::uint32_t head = word_at(bank_, offset);
    const std::size_t size = (head & ~kTombstone) >> 16U;
    const std::size_t end = offset + kFrameSize + padded(size);
    if (head == kErased || size > kRecordSizeMax || end > bank_size_) return std::nullopt;
    return Entry{.id = static_cast<std::uint16_t>(head),
                 .is_tombstone = (head & kTombstone) != 0,
                 .content = flash_.bytes().subspan(bank_ * bank_size_ + offset + kWord, size),
                 .begin = offset,
                 .end = end};
}

FlashStorage::State FlashStorage::state_of(const Entry& entry) const {
    const std::uint32_t check = word_at(bank_, entry.end - kWord);
    if (check == 0) return State::Dead;
    const bool is_whole = check == check_of(word_at(bank_, entry.begin), entry.content);
    return is_whole ? State::Whole : State::Broken;
}

std::optional<FlashStorage::Entry> FlashStorage::last_of(std::uint16_t id, std::size_t from) const {
    std::optional<Entry> last;
    for (auto entry = entry_at(from); entry && entry->end <= end_; entry = entry_at(entry->end)) {
        if (entry->id == id && state_of(*entry) == State::Whole) last = entry;
    }
    return last;
}

bool FlashStorage::counts(const Entry& entry) const {
    return !entry.is_tombstone && state_of(entry) == State::Whole && !last_of(entry.id, entry.end);
}

Result<std::size_t> FlashStorage::load(hal::RecordId id, MutBytes out) {
    const auto entry = last_of(id.value(), kHeaderSize);
    if (!entry || entry->is_tombstone) return Error::NotFound;
    if (entry->content.size() > out.size()) return Error::NoSpace;
    std::ranges::copy(entry->content, out.begin());
    return entry->content.size();
}

Status FlashStorage::store(hal::RecordId id, Bytes record) {
    if (record.size() > kRecordSizeMax) return Error::NoSpace;
    return append({.id = id.value(), .content = record});
}

Status FlashStorage::erase(hal::RecordId id) {
    const auto entry = last_of(id.value(), kHeaderSize);
    if (!entry || entry->is_tombstone) return {};
    return append({.id = id.value(), .is_tombstone = true});
}

Status FlashStorage::append(const Entry& entry) {
    const std::size_t size = kFrameSize + padded(entry.content.size());
    if (is_full_ || end_ + size > bank_size_) return compact(entry);
    const std::size_t begin = end_;
    std::size_t at = end_;
    if (const Status written = write_entry(bank_, at, entry); !written) {
        is_full_ = true;  // whatever stands there now, nothing may follow
        return written;
    }
    end_ = at;
    for (at = kHeaderSize; at < begin;) {
        const auto former = entry_at(at);
        if (former->id == entry.id) wipe(*former);
        at = former->end;
    }
    return {};
}

Status FlashStorage::compact(const Entry& entry) {
    const std::size_t target = 1 - bank_;
    if (!is_erased(target, 0)) SOTTO_TRY(erase_bank(target));
    std::size_t end = kHeaderSize;
    for (std::size_t at = kHeaderSize; at < end_;) {
        const auto kept = entry_at(at);
        if (kept->id != entry.id && counts(*kept)) SOTTO_TRY(write_entry(target, end, *kept));
        at = kept->end;
    }
    if (!entry.is_tombstone) SOTTO_TRY(write_entry(target, end, entry));
    SOTTO_TRY(write_header(target, sequence_ + 1));
    bank_ = target;
    ++sequence_;
    end_ = end;
    is_full_ = false;
    // Its keys are gone with it. Should this fail, the next change does it.
    (void)erase_bank(1 - target).has_value();
    return {};
}

Status FlashStorage::write_entry(std::size_t bank, std::size_t& offset, const Entry& entry) {
    const std::size_t size = entry.content.size();
    if (offset + kFrameSize + padded(size) > bank_size_) return Error::NoSpace;
    const std::uint32_t head =
        entry.id | static_cast<std::uint32_t>(size) << 16U | (entry.is_tombstone ? kTombstone : 0U);
    std::size_t at = bank * bank_size_ + offset;
    SOTTO_TRY(flash_.write_word(at, head));
    for (std::size_t i = 0; i < size; i += kWord)
        SOTTO_TRY(flash_.write_word(at += kWord, word_of(entry.content, i)));
    SOTTO_TRY(flash_.write_word(at + kWord, check_of(head, entry.content)));
    offset += kFrameSize + padded(size);
    return {};
}

Status FlashStorage::write_header(std::size_t bank, std::uint32_t sequence) {
    const std::size_t at = bank * bank_size_;
    SOTTO_TRY(flash_.write_word(at, kMagic));
    SOTTO_TRY(flash_.write_word(at + kWord, sequence));
    return flash_.write_word(at + 2 * kWord, check_of_header(sequence));
}

Status FlashStorage::erase_bank(std::size_t bank) {
    for (std::size_t at = 0; at < bank_size_; at += flash_.page_size())
        SOTTO_TRY(flash_.erase_page(bank * bank_size_ + at));
    return {};
}

// Should a write fail, the bank's next erasure does it.
void FlashStorage::wipe(const Entry& entry) {
    if (word_at(bank_, entry.end - kWord) == 0) return;
    const std::size_t at = bank_ * bank_size_;
    (void)flash_.write_word(at + entry.end - kWord, 0).has_value();
    for (std::size_t i = entry.begin + kWord; i < entry.end - kWord; i += kWord)
        (void)flash_.write_word(at + i, 0).has_value();
}

}  // namespace sotto::ports
