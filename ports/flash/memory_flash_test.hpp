// SPDX-License-Identifier: Apache-2.0
// Flash memory with its manners, for the tests of this folder: writing only clears bits, a word is
// written twice at most, and power may go in the middle of any operation, which leaves bits that
// nobody can rely on. Allocates.
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "core/base/assert.hpp"
#include "ports/flash/flash.hpp"

namespace sotto::ports {

class MemoryFlash final : public Flash {
  public:
    static constexpr std::size_t kPageSize = 256;

    explicit MemoryFlash(std::size_t pages, std::uint32_t seed = 1)
        : bytes_(pages * kPageSize, 0xff),
          unstable_(bytes_.size(), 0),
          writes_(bytes_.size() / kWordSize, 0),
          random_(seed) {}

    // Power goes in the operation with this index, counted from 0 from now on; every one after it
    // fails until reboot().
    void cut_power_at(std::size_t index) {
        cut_at_ = index;
        count_ = 0;
        is_cut_ = false;
    }
    bool is_cut() const { return is_cut_; }
    std::size_t count() const { return count_; }
    // Bits that were written or erased halfway read as they happen to.
    void reboot() {
        cut_at_.reset();
        is_cut_ = false;
        count_ = 0;
        for (std::size_t i = 0; i < bytes_.size(); ++i) {
            bytes_[i] =
                static_cast<std::uint8_t>((bytes_[i] & ~unstable_[i]) | (random_() & unstable_[i]));
        }
    }
    std::vector<std::uint8_t>& raw() { return bytes_; }

    Bytes bytes() const override { return bytes_; }
    std::size_t page_size() const override { return kPageSize; }

    Status write_word(std::size_t offset, std::uint32_t word) override {
        SOTTO_ASSERT(offset % kWordSize == 0 && offset + kWordSize <= bytes_.size());
        SOTTO_ASSERT(is_cut_ || is_repetition(offset, word) || ++writes_[offset / kWordSize] <= 2);
        const bool is_last = begin();
        if (is_cut_ && !is_last) return Error::StorageFailed;
        for (std::size_t i = 0; i < kWordSize; ++i) {
            const auto wanted = static_cast<std::uint8_t>(word >> (8U * i));
            const auto changing = static_cast<std::uint8_t>(bytes_[offset + i] & ~wanted);
            change(offset + i, changing, 0, is_last);
            if (!is_last) unstable_[offset + i] = 0;
        }
        return is_last ? Status{Error::StorageFailed} : Status{};
    }
    Status erase_page(std::size_t offset) override {
        SOTTO_ASSERT(offset % kPageSize == 0 && offset < bytes_.size());
        const bool is_last = begin();
        if (is_cut_ && !is_last) return Error::StorageFailed;
        for (std::size_t i = offset; i < offset + kPageSize; ++i) {
            change(i, static_cast<std::uint8_t>(~bytes_[i]), 0xff, is_last);
            if (!is_last) unstable_[i] = 0;
        }
        for (std::size_t i = offset / kWordSize; i < (offset + kPageSize) / kWordSize; ++i)
            writes_[i] = 0;
        return is_last ? Status{Error::StorageFailed} : Status{};
    }

  private:
    // Of a write that may have been cut short: it finishes what was begun.
    bool is_repetition(std::size_t offset, std::uint32_t word) const {
        bool is_same = writes_[offset / kWordSize] > 0;
        for (std::size_t i = 0; i < kWordSize; ++i) {
            const auto wanted = static_cast<std::uint8_t>(word >> (8U * i));
            is_same = is_same && ((bytes_[offset + i] ^ wanted) & ~unstable_[offset + i]) == 0;
        }
        return is_same;
    }
    // Whether power goes in this operation.
    bool begin() {
        if (is_cut_) return false;
        is_cut_ = cut_at_ && count_ == *cut_at_;
        ++count_;
        return is_cut_;
    }
    // Sets the bits of `mask` as in `value`; halfway if power goes.
    void change(std::size_t at, std::uint8_t mask, std::uint8_t value, bool is_halfway) {
        if (is_halfway) {
            unstable_[at] = static_cast<std::uint8_t>(unstable_[at] | mask);
            mask = static_cast<std::uint8_t>(mask & random_());
        }
        bytes_[at] = static_cast<std::uint8_t>((bytes_[at] & ~mask) | (value & mask));
    }

    std::vector<std::uint8_t> bytes_;
    std::vector<std::uint8_t> unstable_;
    std::vector<std::uint8_t> writes_;
    std::mt19937 random_;
    std::optional<std::size_t> cut_at_;
    std::size_t count_ = 0;
    bool is_cut_ = false;
};

}  // namespace sotto::ports
