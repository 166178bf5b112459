// SPDX-License-Identifier: Apache-2.0
// The Sender Sequence Numbers of a context (RFC 8613 §7.2), reserved in storage before they are
// used (B.1.1). It can be moved, not copied, and never goes back. No allocation.
#pragma once

#include "core/base/result.hpp"
#include "core/oscore/context.hpp"

namespace sotto::oscore {

class SenderSequence {
  public:
    // Everything below `reserved` may have been used: what storage says, or 0 for a new context.
    explicit SenderSequence(Piv reserved) : next_(reserved.value()), reserved_(reserved.value()) {
        SOTTO_ASSERT(reserved.value() <= kEnd);
    }
    SenderSequence(const SenderSequence&) = delete;
    SenderSequence& operator=(const SenderSequence&) = delete;
    // The source has no numbers left.
    SenderSequence(SenderSequence&& other) noexcept
        : next_(std::exchange(other.next_, kEnd)),
          reserved_(std::exchange(other.reserved_, kEnd)) {}
    SenderSequence& operator=(SenderSequence&& other) noexcept {
        next_ = std::exchange(other.next_, kEnd);
        reserved_ = std::exchange(other.reserved_, kEnd);
        return *this;
    }

    // A number that was never given before. Error::WrongState if none is reserved: store
    // reservation(), then on_stored(); Error::Expired if none is left (§7.2.1).
    Result<Piv> next() {
        if (next_ == kEnd) return Error::Expired;
        if (next_ == reserved_) return Error::WrongState;
        return Piv{next_++};
    }
    bool has_reserved() const { return next_ < reserved_; }

    // What storage must say before `count` more numbers may be given.
    Piv reservation(std::uint32_t count) const { return Piv{std::min(next_ + count, kEnd)}; }
    // Storage says so now, and will after any power cut.
    void on_stored(Piv reservation) {
        SOTTO_ASSERT(reservation.value() >= reserved_ && reservation.value() <= kEnd);
        reserved_ = reservation.value();
    }

  private:
    static constexpr std::uint64_t kEnd = kPivMax + 1;

    std::uint64_t next_;
    std::uint64_t reserved_;
};

}  // namespace sotto::oscore
