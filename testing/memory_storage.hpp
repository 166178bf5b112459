// SPDX-License-Identifier: Apache-2.0
// hal::Storage in memory, with faults: an operation that fails, or power that goes while one runs.
// Allocates; never blocks.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "core/hal/storage.hpp"

namespace sotto::testing {

class MemoryStorage final : public hal::Storage {
  public:
    // Which record a power cut in the middle of a write leaves: the contract allows both.
    enum class Cut { Old, New };

    // The write (store or erase) with this index, counted from 0 from now on, answers
    // Error::StorageFailed; the old record stands and later writes work.
    void fail_write(std::size_t index) { arm(index, std::nullopt); }
    // Power goes in that write: it and everything after it fail until reboot().
    void cut_power_at_write(std::size_t index, Cut cut) { arm(index, cut); }
    // There is no room: every write answers Error::NoSpace from now on, until reboot().
    void fill() { is_full_ = true; }
    // Ends every fault; what is stored stays.
    void reboot();
    // Every load fails from now on, until reboot().
    void fail_loads() { loads_fail_ = true; }

    // Writes since construction, arming or reboot(): how many steps a script has to fail at.
    std::size_t write_count() const { return write_count_; }
    bool is_cut() const { return is_cut_; }
    const std::map<hal::RecordId, std::vector<std::uint8_t>>& records() const { return records_; }

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    Status store(hal::RecordId id, Bytes record) override;
    Status erase(hal::RecordId id) override;

  private:
    void arm(std::size_t index, std::optional<Cut> cut);
    // Whether the write may change the record, and what it answers.
    struct Verdict {
        bool takes_place;
        Status answer;
    };
    Verdict next_write();

    std::map<hal::RecordId, std::vector<std::uint8_t>> records_;
    std::size_t write_count_ = 0;
    std::optional<std::size_t> fault_index_;
    std::optional<Cut> cut_;
    bool is_cut_ = false;
    bool loads_fail_ = false;
    bool is_full_ = false;
};

}  // namespace sotto::testing
