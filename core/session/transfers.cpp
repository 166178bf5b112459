// SPDX-License-Identifier: Apache-2.0
#include "core/session/transfers.hpp"

namespace sotto::session {

Transfer* Transfers::find(std::uint8_t session, Instant now) {
    for (Transfer& transfer : items_) {
        if (transfer.key.session == session && now < transfer.expires) return &transfer;
    }
    return nullptr;
}

bool Transfers::is_in_the_way(const Transfer& other,
                              std::uint8_t session,
                              MutBytes room,
                              Instant now) {
    return other.key.session != session && !is_over(other, now) &&
           other.body.room().data() == room.data();
}

bool Transfers::is_free(std::uint8_t session, MutBytes room, Instant now) const {
    std::size_t count = 0;
    for (const Transfer& other : items_) {
        if (is_in_the_way(other, session, room, now)) return false;
        if (other.key.session != session && !is_over(other, now)) ++count;
    }
    return count < kTransfers;
}

Transfer* Transfers::begin(const TransferKey& key, MutBytes room, Instant now) {
    if (!is_free(key.session, room, now)) return nullptr;
    for (std::size_t i = items_.size(); i-- > 0;) {
        const Transfer& other = items_[i];
        const bool is_same_room = other.body.room().data() == room.data();
        if (other.key.session == key.session || is_same_room || is_over(other, now)) {
            items_.erase(&items_[i]);
        }
    }
    Transfer& transfer =
        items_.emplace_back(Transfer{.key = key, .body = coap::IncomingBody{room}});
    touch(transfer, now);
    return &transfer;
}

void Transfers::remove(std::uint8_t session) {
    for (Transfer& transfer : items_) {
        if (transfer.key.session != session) continue;
        items_.erase(&transfer);
        return;
    }
}

}  // namespace sotto::session
