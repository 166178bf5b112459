// SPDX-License-Identifier: Apache-2.0
// The client's side of CoAP's message layer (RFC 7252 §4, §5.2, §5.3) over a transport: a request
// is confirmable, is resent until something comes back, and its response is matched by token. One
// request at a time. Allocates; blocks for as long as it is told.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "app/client/transport.hpp"
#include "core/coap/message.hpp"
#include "core/hal/entropy.hpp"

namespace sotto::app {

class CoapExchange {
  public:
    CoapExchange(Transport& transport, hal::Entropy& entropy, Clock now)
        : transport_(transport), entropy_(entropy), now_(now) {}

    // The header of a new request: a fresh message id and a random token, valid until the next
    // call. Trouble::State if there is no randomness.
    Outcome<coap::Header> begin(coap::Code code);

    enum class Effect { None, ChangesState };
    // Sends the message that has the header of begin() and waits for its response, valid until the
    // next call. Trouble::Unreachable if nothing comes, or Trouble::OutcomeUnknown if that leaves
    // open whether something was changed; Trouble::Refused for a Reset.
    Outcome<coap::Message> send(Bytes message, Effect effect, Duration patience);

    // The next response to that request: a notification. Nothing if none comes in time.
    Outcome<std::optional<coap::Message>> next(Duration limit);

  private:
    struct Progress;

    std::optional<coap::Message> take(Bytes bytes, Progress& progress);
    void reply(coap::Type type, std::uint16_t id);

    Transport& transport_;
    hal::Entropy& entropy_;
    Clock now_;
    std::array<std::uint8_t, coap::kTokenSizeMax> token_{};
    std::optional<std::uint16_t> id_;
    std::vector<std::uint8_t> response_;
};

}  // namespace sotto::app
