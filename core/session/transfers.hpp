// SPDX-License-Identifier: Apache-2.0
// The arguments that are on their way to a device in blocks, and the results on their way from it
// (RFC 7959 §2.5, §3.3; docs/protocol/session.md, SES-80 to SES-85). No allocation: the room is the
// functions' own.
#pragma once

#include "core/base/fixed_vector.hpp"
#include "core/coap/block.hpp"
#include "core/session/excerpt.hpp"
#include "core/session/limits.hpp"
#include "core/session/moment.hpp"
#include "core/session/resources.hpp"

namespace sotto::session {

// RFC 9175 §3.2.1.
using RequestTag = FixedBytes<8>;

// Blocks of one body agree in all of this (RFC 7959 §2, RFC 9175 §3.3).
struct TransferKey {
    std::uint8_t session = 0;  // index in the session table
    std::uint8_t function = 0;
    Format format = Format::Text;  // of the argument
    Format wanted = Format::Text;  // of the result
    RequestTag tag{};

    friend bool operator==(const TransferKey&, const TransferKey&) = default;
};

struct Transfer {
    TransferKey key;
    coap::IncomingBody body;   // the argument, then the result
    std::uint32_t newest = 0;  // of its requests: what was sent before is late
    Moment expires{};          // it is none after that
    bool has_run = false;      // body is the result
    bool is_fetched = false;   // all of it has been shown
    EntityTag tag{};           // of the result
};

class Transfers {
  public:
    // That of a session; null if there is none, or it was not gone on with for too long.
    Transfer* find(std::uint8_t session, Moment now);
    // Where begin() would put one, in this room. Null: not now.
    Transfer* place_for(std::uint8_t session, MutBytes room, Moment now);
    // A new one in place of the session's former one. Null: not now.
    Transfer* begin(const TransferKey& key, MutBytes room, Moment now);
    // It goes on.
    static void touch(Transfer& transfer, Moment now) {
        transfer.expires = now + kTransferLifetime;
    }
    void remove(std::uint8_t session);
    void clear() { items_ = {}; }

  private:
    std::array<Transfer, kTransfers> items_{};
};

}  // namespace sotto::session
