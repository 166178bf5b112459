// SPDX-License-Identifier: Apache-2.0
// One handshake between message_1 and the first protected request. No allocation.
#pragma once

#include <optional>

#include "core/edhoc/responder.hpp"
#include "core/session/channel.hpp"
#include "core/session/fingerprint.hpp"
#include "core/session/limits.hpp"
#include "core/session/moment.hpp"

namespace sotto::session {

struct HalfOpen {
    Channel channel;
    bool is_answered = false;  // message_4 has been composed
    edhoc::ConnectionId c_r;
    Moment expires{};
    std::optional<edhoc::Responder> responder;  // none: the slot is free
    Fingerprint received{};                     // of the message that `reply` answers
    FixedBytes<kHandshakeMessageMax> reply;
};

}  // namespace sotto::session
