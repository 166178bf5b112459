// SPDX-License-Identifier: Apache-2.0
// Flow control of the uplink, for one link in one direction (docs/protocol/uplink.md, "Credit").
// No allocation. What is outstanding never exceeds the initial credit, so a receiver needs room for
// that many messages and no more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/result.hpp"

namespace sotto::framing::uplink {

// The end that sends messages.
class SendCredit {
  public:
    SendCredit() = default;
    explicit SendCredit(std::uint16_t initial) : initial_(initial), left_(initial) {}

    bool is_empty() const { return left_ == 0; }
    // Pays for one message. Precondition: !is_empty().
    void take() {
        SOTTO_ASSERT(!is_empty());
        --left_;
    }
    // CREDIT arrived. Error::Malformed if it grants more than was taken: close the connection.
    Status add(std::uint16_t count) {
        if (count > initial_ - left_) return Error::Malformed;
        left_ = static_cast<std::uint16_t>(left_ + count);
        return {};
    }

  private:
    std::uint16_t initial_ = 0;
    std::uint16_t left_ = 0;
};

// The end that receives messages.
class ReceiveCredit {
  public:
    ReceiveCredit() = default;
    explicit ReceiveCredit(std::uint16_t initial) : initial_(initial), left_(initial) {}

    // A message arrived. Error::Refused if it was not paid for: close the connection.
    Status take() {
        if (left_ == 0) return Error::Refused;
        --left_;
        return {};
    }
    // A message was passed on. How much to grant in a CREDIT now; 0: later, with others.
    std::uint16_t pass_on() {
        ++passed_on_;
        if (passed_on_ < std::max(initial_ / 2, 1)) return 0;
        left_ = static_cast<std::uint16_t>(left_ + passed_on_);
        SOTTO_ASSERT(left_ <= initial_);
        return std::exchange(passed_on_, std::uint16_t{0});
    }

  private:
    std::uint16_t initial_ = 0;
    std::uint16_t left_ = 0;
    std::uint16_t passed_on_ = 0;
};

}  // namespace sotto::framing::uplink
