// SPDX-License-Identifier: Apache-2.0
// One confirmable request on its way: the stored bytes, resent until something comes back (RFC 7252
// §4.2, §4.8). No allocation, no clock.
#pragma once

#include "core/coap/message.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/limits.hpp"

namespace sotto::session {

using Token = std::array<std::uint8_t, coap::kTokenSizeMax>;

class Confirmable {
  public:
    // The header of the next request, under a message id of its own and with this token.
    // Error::EntropyFailed.
    Result<coap::Header> begin(coap::Code code, const Token& token, hal::Entropy& entropy);
    // Where the message with that header is to be written.
    MutBytes buffer() { return buffer_; }
    // Sends what was written, `size` bytes of it, until an answer has come or the time is over.
    void send(std::size_t size, Instant now, Instant until);
    // Sends it again at once, and then as often as if it were new: the way may be a new one.
    void send_again(Instant now);
    // Nothing is sent or expected any more.
    void finish();

    bool is_open() const { return size_ > 0; }
    // Whether this is an answer to the request: by its token, and if it is an acknowledgement by
    // the message id too.
    bool is_answered_by(const coap::Header& header) const;
    // An Empty acknowledgement: the answer will come on its own (§5.2.2), so nothing is resent.
    void on_acknowledged(std::uint16_t id);

    // The message, if it is time to send it. Valid until the next call.
    std::optional<Bytes> due(Instant now);
    std::uint8_t sent_count() const { return sent_count_; }
    // Whether due() would give the message.
    bool is_due(Instant now) const { return is_open() && is_resent() && now >= send_at_; }
    bool is_over(Instant now) const { return is_open() && now >= until_; }
    // When due() or is_over() may say something new. Precondition: is_open().
    Instant wake_at() const;

  private:
    bool is_resent() const { return !is_acknowledged_ && sent_count_ <= kRetransmitMax; }

    std::array<std::uint8_t, kMessageSizeMax> buffer_{};
    std::size_t size_ = 0;
    Token token_{};
    std::optional<std::uint16_t> id_;
    Duration timeout_{};
    Instant send_at_{};
    Instant until_{};
    std::uint8_t sent_count_ = 0;
    bool is_acknowledged_ = false;
};

}  // namespace sotto::session
