// SPDX-License-Identifier: Apache-2.0
// Echo option values (RFC 9175 §2.3) without state: the time at which one was made and a MAC over
// time and session under a key of this boot. A reboot makes all older values void.
#pragma once

#include <array>

#include "core/base/secret.hpp"
#include "core/crypto/hash.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/limits.hpp"
#include "core/session/moment.hpp"

namespace sotto::session {

using EchoKey = Secret<32, struct EchoKeyTag>;
using EchoValue = std::array<std::uint8_t, kEchoSize>;

class Echo {
  public:
    // Draws the key of this boot. Error::EntropyFailed.
    Status start(hal::Entropy& entropy) { return entropy.fill(key_.fill()); }

    // A value for the session of this Recipient ID.
    EchoValue make(Bytes recipient_id, Moment now) const;

    // True if make() made it for this session within kEchoLifetime.
    bool is_fresh(Bytes value, Bytes recipient_id, Moment now) const;

  private:
    EchoKey key_;
};

}  // namespace sotto::session
