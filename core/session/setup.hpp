// SPDX-License-Identifier: Apache-2.0
// What a device gives to its server. No allocation; borrows all that it names.
#pragma once

#include "core/base/token_bucket.hpp"
#include "core/edhoc/role.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/answer_cache.hpp"
#include "core/session/half_open.hpp"
#include "core/session/observations.hpp"
#include "core/session/part.hpp"

namespace sotto::session {

struct ServerSetup {
    edhoc::Identity identity;
    cose::CredentialForm form = cose::CredentialForm::Value;  // to CoAP/UDP peers
    hal::Storage& storage;
    hal::Entropy& entropy;
    Resources& resources;
    Parts parts = {};
    PairingDisplay display = PairingDisplay::Screen;
    std::span<SessionEntry> sessions;  // at least kStoredSessions
    std::span<HalfOpen> half_open;     // at least kHalfOpenSlots; the first is for the direct air
    std::span<KeptAnswer> answers;     // at least 2; kAnswerCacheCount on hosts, and one more
    std::span<PendingEvent> events;    // at least 1; kPendingEvents on hosts
    MutBytes scratch;                  // for a plaintext: as large as the largest message
    // For what a resource answers in one message: kPayloadSizeMax on hosts. It may lie in the
    // `out` of receive() and poll(), which is written when this has been read.
    MutBytes result;
    Rate handshake_rate{.burst = kHandshakeBurst, .refill = kHandshakeRefill};  // per path
};

}  // namespace sotto::session
