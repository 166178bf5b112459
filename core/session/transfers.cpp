// SPDX-License-Identifier: Apache-2.0
#include "core/session/transfers.hpp"

namespace sotto::session {

Transfer* Transfers::find(std::uint8_t session, Moment now) {
    for (Transfer& transfer : items_) {
        if (transfer.key.session == session && now < transfer.expires) return &transfer;
    }
    return nullptr;
}

Transfer* Transfers::place_for(std::uint8_t session, MutBytes room, Moment now) {
    Transfer* place = nullptr;
    for (Transfer& other : items_) {
        const bool is_own = other.key.session == session;
        if (is_own || other.is_fetched || now >= other.expires) {
            if (place == nullptr || is_own) place = &other;
        } else if (other.body.room().data() == room.data()) {
            return nullptr;
        }
    }
    return place;
}

Transfer* Transfers::begin(const TransferKey& key, MutBytes room, Moment now) {
    Transfer* place = place_for(key.session, room, now);
    if (place == nullptr) return nullptr;
    for (Transfer& other : items_) {  // its own, and one in this room that has been fetched
        const bool is_same_room = other.body.room().data() == room.data();
        if (is_same_room || other.key.session == key.session) other.expires = {};
    }
    place->key = key;
    place->body = coap::IncomingBody{room};
    place->newest = {};
    place->has_run = place->is_fetched = false;
    touch(*place, now);
    return place;
}

void Transfers::remove(std::uint8_t session) {
    for (Transfer& transfer : items_) {
        if (transfer.key.session == session) transfer.expires = {};
    }
}

}  // namespace sotto::session
