// SPDX-License-Identifier: Apache-2.0
#include "core/session/observations.hpp"

namespace sotto::session {

Observation* Observations::find(std::uint8_t session, Bytes token) {
    for (Observation& slot : slots_) {
        if (slot.is_used && slot.session == session && equal(slot.token, token)) return &slot;
    }
    return nullptr;
}

Observation* Observations::add(std::uint8_t session, Bytes token, Moment now) {
    expire(now);
    Observation* place = find(session, token);
    for (Observation& slot : slots_) {
        if (place == nullptr && !slot.is_used) place = &slot;
    }
    if (place == nullptr) return nullptr;
    place->is_used = true;
    place->session = session;
    place->token.assign(token);
    place->expires = now + kObservationLifetime;
    return place;
}

void Observations::release(std::size_t index) {
    slots_[index].is_used = false;
    for (PendingEvent& pending : pending_) {
        pending.waiting = static_cast<std::uint8_t>(pending.waiting & ~(1U << index));
    }
}

void Observations::remove(std::uint8_t session, Bytes token) {
    if (Observation* slot = find(session, token); slot != nullptr) {
        release(static_cast<std::size_t>(slot - slots_.data()));
    }
}

void Observations::remove_session(std::uint8_t session) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && slots_[i].session == session) release(i);
    }
}

void Observations::on_reset(Channel channel, std::uint16_t message_id) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Observation& slot = slots_[i];
        if (slot.is_used && slot.channel == channel && slot.message_id == message_id) release(i);
    }
}

void Observations::retarget(std::uint8_t session, Channel channel) {
    for (Observation& slot : slots_) {
        if (slot.is_used && slot.session == session) slot.channel = channel;
    }
}

void Observations::clear() {
    for (std::size_t i = 0; i < slots_.size(); ++i) release(i);
    count_ = 0;
}

void Observations::expire(Moment now) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && now >= slots_[i].expires) release(i);
    }
}

Status Observations::publish(std::uint8_t event, const Content& content) {
    if (content.payload.size() > kEventSizeMax) return Error::TooLarge;
    std::uint8_t waiting = 0;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && slots_[i].event == event) {
            waiting = static_cast<std::uint8_t>(waiting | 1U << i);
        }
    }
    if (waiting == 0) return {};
    if (count_ == pending_.size()) return Error::NoSpace;
    PendingEvent& place = pending_[(first_ + count_++) % pending_.size()];
    place.event = event;
    place.format = content.format;
    place.payload.assign(content.payload);
    place.waiting = waiting;
    return {};
}

Observation* Observations::next(Moment now, Content& content) {
    expire(now);
    for (; count_ > 0; --count_) {
        PendingEvent& first = pending_[first_];
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if ((first.waiting >> i & 1) == 0) continue;
            first.waiting = static_cast<std::uint8_t>(first.waiting & ~(1U << i));
            content = {.format = first.format, .payload = first.payload};
            return &slots_[i];
        }
        first_ = static_cast<std::uint8_t>((first_ + 1) % pending_.size());
    }
    return nullptr;
}

}  // namespace sotto::session
