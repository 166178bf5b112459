// SPDX-License-Identifier: Apache-2.0
#include "core/session/confirmable.hpp"

namespace sotto::session {

Result<coap::Header> Confirmable::begin(coap::Code code,
                                        const Token& token,
                                        hal::Entropy& entropy) {
    std::array<std::uint8_t, 3> random;
    SOTTO_TRY(entropy.fill(random));
    id_ = static_cast<std::uint16_t>(id_ ? *id_ + 1 : random[0] << 8 | random[1]);
    token_ = token;
    // ACK_RANDOM_FACTOR: up to half as long again, so that many clients do not resend at once.
    timeout_ = milliseconds(kRetransmitFirst.ms + kRetransmitFirst.ms * random[2] / 510);
    return coap::Header{.type = coap::Type::Confirmable, .code = code, .id = *id_, .token = token_};
}

void Confirmable::send(std::size_t size, Instant now, Instant until) {
    SOTTO_ASSERT(size > 0 && size <= buffer_.size());
    size_ = size;
    send_at_ = now;
    until_ = until;
    sent_count_ = 0;
    is_acknowledged_ = false;
}

void Confirmable::send_again(Instant now) {
    if (!is_open()) return;
    send_at_ = now;
    timeout_ = std::min(timeout_, milliseconds(2 * kRetransmitFirst.ms));
    sent_count_ = std::min<std::uint8_t>(sent_count_, 1);
}

void Confirmable::finish() { size_ = 0; }

bool Confirmable::is_answered_by(const coap::Header& header) const {
    if (!is_open() || !coap::is_response(header.code) || !equal(header.token, token_)) return false;
    return header.type != coap::Type::Acknowledgement || header.id == *id_;
}

void Confirmable::on_acknowledged(std::uint16_t id) {
    if (is_open() && id == *id_) is_acknowledged_ = true;
}

std::optional<Bytes> Confirmable::due(Instant now) {
    if (!is_due(now)) return std::nullopt;
    send_at_ = now + timeout_;
    timeout_ = milliseconds(2 * timeout_.ms);
    ++sent_count_;
    return Bytes{buffer_}.first(size_);
}

Instant Confirmable::wake_at() const { return is_resent() ? std::min(send_at_, until_) : until_; }

}  // namespace sotto::session
