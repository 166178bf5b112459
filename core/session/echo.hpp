// SPDX-License-Identifier: Apache-2.0
// Echo option values (RFC 9175 §2.3) without state: the time at which one was made and a MAC over
// time and session under a key of this boot. A reboot makes all older values void.
#pragma once

#include <array>

#include "core/base/secret.hpp"
#include "core/base/time.hpp"
#include "core/crypto/hash.hpp"
#include "core/session/limits.hpp"

namespace sotto::session {

using EchoKey = Secret<32, struct EchoKeyTag>;
using EchoValue = std::array<std::uint8_t, kEchoSize>;

class Echo {
  public:
    explicit Echo(EchoKey key) : key_(std::move(key)) {}

    // A value for the session of this Recipient ID.
    EchoValue make(Bytes recipient_id, Instant now) const;

    // True if make() made it for this session at most `lifetime` ago.
    bool is_fresh(Bytes value, Bytes recipient_id, Instant now, Duration lifetime) const;

  private:
    EchoKey key_;
};

}  // namespace sotto::session
