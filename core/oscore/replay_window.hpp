// SPDX-License-Identifier: Apache-2.0
// The sliding window of RFC 8613 §7.4, 32 wide. No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/oscore/context.hpp"

namespace sotto::oscore {

class ReplayWindow {
  public:
    static constexpr std::uint32_t kSize = 32;

    ReplayWindow() = default;
    // A window in which everything below `next` counts as seen.
    explicit ReplayWindow(std::uint32_t next) : next_(next), seen_(~std::uint32_t{0}) {}

    // Error::Superseded if this Partial IV was accepted or is too old, Error::Unsupported from 2^32
    // on: we end sessions long before. Changes nothing: verify first, then accept().
    Status check(Piv piv) const {
        if (piv.value() >= kLimit) return Error::Unsupported;
        if (piv.value() >= next_) return {};
        const std::uint64_t age = next_ - 1 - piv.value();
        if (age >= kSize || (seen_ >> age & 1) != 0) return Error::Superseded;
        return {};
    }

    // Precondition: check() accepts it, and the message has been verified.
    void accept(Piv piv) {
        SOTTO_ASSERT(check(piv).has_value());
        if (piv.value() < next_) {
            seen_ |= std::uint32_t{1} << (next_ - 1 - piv.value());
            return;
        }
        const std::uint64_t shift = piv.value() + 1 - next_;
        seen_ = shift >= kSize ? 0 : seen_ << shift;
        seen_ |= 1;
        next_ = static_cast<std::uint32_t>(piv.value() + 1);
    }

    // One above the highest that was accepted.
    std::uint32_t next() const { return next_; }

  private:
    static constexpr std::uint64_t kLimit = 0xffff'ffff;

    std::uint32_t next_ = 0;
    std::uint32_t seen_ = 0;  // bit i: next_ - 1 - i was accepted
};

}  // namespace sotto::oscore
