// SPDX-License-Identifier: Apache-2.0
// Puts the values of one direction of a link in the order of their counters [AIR-2]: with more than
// one bearer (EATT) bluetoothd lets values overtake one another. Sans-I/O; holds kEarlyValuesMax.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::air::bluez {

class Sequencer {
  public:
    // Any bytes.
    void receive(Bytes value, Instant now);
    // The next value whose turn it is, valid until the next call. A value that is missing is given
    // up when too many wait for it, or for too long; what is behind it then goes on.
    std::optional<Bytes> next(Instant now);
    bool has_gap() const { return gap_since_.has_value(); }

  private:
    bool is_gap_given_up(Instant now) const;

    std::map<std::uint8_t, std::vector<std::uint8_t>> early_;  // by distance from 0 to 63
    std::uint8_t expected_ = 0;
    std::optional<Instant> gap_since_;
    std::vector<std::uint8_t> current_;
};

}  // namespace sotto::air::bluez
