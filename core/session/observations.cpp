// SPDX-License-Identifier: Apache-2.0
#include "core/session/observations.hpp"

namespace sotto::session {

Observations::Slot* Observations::find(std::uint8_t session, Bytes token) {
    for (Slot& slot : slots_) {
        if (slot.is_used && slot.observation.session == session &&
            equal(slot.observation.token, token)) {
            return &slot;
        }
    }
    return nullptr;
}

Status Observations::add(const Observation& observation, Instant now) {
    expire(now);
    Slot* place = find(observation.session, observation.token);
    for (Slot& slot : slots_) {
        if (place == nullptr && !slot.is_used) place = &slot;
    }
    if (place == nullptr) return Error::NoSpace;
    *place = {.is_used = true, .observation = observation};
    return {};
}

void Observations::release(std::size_t index) {
    slots_[index].is_used = false;
    for (Pending& pending : pending_) {
        pending.waiting = static_cast<std::uint8_t>(pending.waiting & ~(1U << index));
    }
}

void Observations::remove(std::uint8_t session, Bytes token) {
    if (Slot* slot = find(session, token); slot != nullptr) {
        release(static_cast<std::size_t>(slot - slots_.data()));
    }
}

void Observations::remove_session(std::uint8_t session) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && slots_[i].observation.session == session) release(i);
    }
}

void Observations::on_reset(Channel channel, std::uint16_t message_id) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        const Observation& observation = slots_[i].observation;
        if (slots_[i].is_used && observation.channel == channel &&
            observation.message_id == message_id) {
            release(i);
        }
    }
}

void Observations::retarget(std::uint8_t session, Channel channel) {
    for (Slot& slot : slots_) {
        if (slot.is_used && slot.observation.session == session) slot.observation.channel = channel;
    }
}

void Observations::clear() {
    for (std::size_t i = 0; i < slots_.size(); ++i) release(i);
    pending_.clear();
}

void Observations::expire(Instant now) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && now >= slots_[i].observation.expires) release(i);
    }
}

Status Observations::publish(std::uint8_t event, const Content& content) {
    if (content.payload.size() > kEventSizeMax) return Error::TooLarge;
    std::uint8_t waiting = 0;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        if (slots_[i].is_used && slots_[i].observation.event == event) {
            waiting = static_cast<std::uint8_t>(waiting | 1U << i);
        }
    }
    if (waiting == 0) return {};
    if (pending_.full()) return Error::NoSpace;
    Pending& place = pending_.emplace_back();
    place.event = event;
    place.format = content.format;
    place.payload.assign(content.payload);
    place.waiting = waiting;
    return {};
}

std::optional<Observations::Due> Observations::next(Instant now) {
    expire(now);
    while (!pending_.empty()) {
        Pending& first = pending_[0];
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if ((first.waiting >> i & 1) == 0) continue;
            first.waiting = static_cast<std::uint8_t>(first.waiting & ~(1U << i));
            return Due{.observation = slots_[i].observation,
                       .content = {.format = first.format, .payload = first.payload}};
        }
        pending_.erase(pending_.begin());
    }
    return std::nullopt;
}

}  // namespace sotto::session
