// SPDX-License-Identifier: Apache-2.0
// Records on flash memory that survive a power cut at any of its operations
// (docs/formats/flash.md). No allocation; blocks while the flash is written.
//
// The flash is two banks of as many pages. One of them is in use: records are appended to it, the
// last of an id counts, and the one before is overwritten with zeros. When the bank is full, what
// counts is copied to the other one, whose header is written last and puts it into use. So each
// page is erased as often as every other.
#pragma once

#include <optional>

#include "core/hal/storage.hpp"
#include "ports/flash/flash.hpp"

namespace sotto::ports {

class FlashStorage final : public hal::Storage {
  public:
    // Borrows. Precondition: an even number of pages, at least two.
    explicit FlashStorage(Flash& flash);

    // Finds what is stored; call it once, first. Erased flash becomes an empty storage.
    // Error::Malformed: it holds something else, or is damaged beyond what a power cut does;
    // nothing has been changed. Error::StorageFailed.
    Status open();

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    // Error::NoSpace also if all records together do not fit a bank.
    Status store(hal::RecordId id, Bytes record) override;
    Status erase(hal::RecordId id) override;

    // How often the banks have changed places, for the wear: each time a bank is erased.
    std::uint32_t sequence() const { return sequence_; }

  private:
    // What stands in a bank: a record, or that there is none of this id any more.
    struct Entry {
        std::uint16_t id = 0;
        bool is_tombstone = false;
        Bytes content = {};
        std::size_t begin = 0;  // offsets in the bank
        std::size_t end = 0;
    };
    enum class State : std::uint8_t { Whole, Dead, Broken };

    std::uint32_t word_at(std::size_t bank, std::size_t offset) const;
    // What the word at this offset is the head of; nothing if it is erased or points beyond.
    std::optional<Entry> entry_at(std::size_t offset) const;
    State state_of(const Entry& entry) const;
    // The last whole entry of an id from an offset on.
    std::optional<Entry> last_of(std::uint16_t id, std::size_t from) const;
    bool counts(const Entry& entry) const;

    Status begin();
    Status walk();
    Status settle();
    bool is_torn_tail(std::size_t from) const;
    std::optional<std::uint32_t> sequence_of(std::size_t bank) const;
    bool is_erased(std::size_t bank, std::size_t from) const;

    Status append(const Entry& entry);
    // Changes banks; `entry` stands for the record of its id.
    Status compact(const Entry& entry);
    Status write_entry(std::size_t bank, std::size_t& offset, const Entry& entry);
    Status write_header(std::size_t bank, std::uint32_t sequence);
    Status erase_bank(std::size_t bank);
    // Overwrites what no longer counts: keys among it.
    void wipe(const Entry& entry);

    Flash& flash_;
    std::size_t bank_size_;
    std::size_t bank_ = 0;  // the one in use
    std::size_t end_ = 0;   // of what is known to be there
    bool is_full_ = false;  // something torn stands at the end
    std::uint32_t sequence_ = 0;
};

}  // namespace sotto::ports
