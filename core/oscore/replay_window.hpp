// SPDX-License-Identifier: Apache-2.0
// The sliding window of RFC 8613 §7.4, 32 wide, which knows the Partial IVs of requests that have
// been accepted. No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/oscore/context.hpp"

namespace sotto::oscore {

class ReplayWindow {
  public:
    static constexpr std::uint32_t kSize = 32;

    // Of a new context: nothing has been seen.
    ReplayWindow() = default;
    // A window in which everything below `next` counts as seen.
    explicit ReplayWindow(std::uint32_t next) : next_(next), seen_(next == 0 ? 0 : kAll) {}
    // Of a context whose window was lost in a reboot (§7.5): nobody can tell what is a replay until
    // a fresh request has set the lower limit (B.1.2), with ReplayWindow{next}.
    static ReplayWindow lost() {
        ReplayWindow window;
        window.seen_ = kAll;
        return window;
    }
    bool is_lost() const { return next_ == 0 && seen_ != 0; }

    // Error::Superseded if this Partial IV was accepted or is too old, Error::WrongState if the
    // window is lost, Error::Unsupported from 2^32 - 1 on: we end sessions long before. Changes
    // nothing: verify first, then accept().
    Status check(Piv piv) const {
        if (is_lost()) return Error::WrongState;
        if (piv.value() >= kLimit) return Error::Unsupported;
        const auto number = static_cast<std::uint32_t>(piv.value());
        if (number >= next_) return {};
        const std::uint32_t age = next_ - 1 - number;
        if (age >= kSize || (seen_ >> age & 1) != 0) return Error::Superseded;
        return {};
    }

    // Precondition: check() accepts it, and the message has been verified.
    void accept(Piv piv) {
        SOTTO_ASSERT(check(piv).has_value());
        const auto number = static_cast<std::uint32_t>(piv.value());
        if (number < next_) {
            seen_ |= std::uint32_t{1} << (next_ - 1 - number);
            return;
        }
        const std::uint32_t shift = number + 1 - next_;
        seen_ = (shift >= kSize ? 0 : seen_ << shift) | 1;
        next_ = number + 1;
    }

    // One above the highest that was accepted.
    std::uint32_t next() const { return next_; }

  private:
    static constexpr std::uint32_t kAll = 0xffff'ffff;
    static constexpr std::uint64_t kLimit = 0xffff'ffff;

    std::uint32_t next_ = 0;
    std::uint32_t seen_ = 0;  // bit i: next_ - 1 - i was accepted; all set below 0: lost
};

}  // namespace sotto::oscore
