// SPDX-License-Identifier: Apache-2.0
#include "core/session/client_session.hpp"

namespace sotto::session {
namespace {

constexpr std::uint8_t kSlot = 0;

}  // namespace

Status ClientSession::load(Instant now) {
    live_.reset();
    auto stored = keystore::load_session(storage_, kSlot);
    if (!stored) {
        if (stored.error() == Error::StorageFailed) return Error::StorageFailed;
        return {};
    }
    live_.emplace(Live{.context = {.sender_key = std::move(stored->keys.sender_key),
                                   .recipient_key = std::move(stored->keys.recipient_key),
                                   .common_iv = std::move(stored->keys.common_iv),
                                   .sender_id = oscore::Id{stored->keys.sender_id},
                                   .recipient_id = oscore::Id{stored->head.recipient_id}},
                       .sequence = oscore::SenderSequence{oscore::Piv{stored->counters.reserved}},
                       .created_ms = now.ms - std::int64_t{stored->counters.age_s} * 1'000,
                       .failure_count = stored->counters.failures});
    return {};
}

bool ClientSession::is_usable(Instant now) const {
    return live_ && live_->sequence.reservation(0).value() < kSessionMessageCountMax &&
           (now.ms - live_->created_ms) / 1'000 < kSessionLifetimeSeconds;
}

Status ClientSession::replace(const edhoc::OscoreKeys& keys, Instant now) {
    SOTTO_TRY_ASSIGN(oscore::Context context,
                     oscore::derive_context({.master_secret = keys.master_secret.expose(),
                                             .master_salt = keys.master_salt.expose(),
                                             .sender_id = keys.sender_id.view(),
                                             .recipient_id = keys.recipient_id.view()}));
    keystore::StoredSession stored;
    stored.keys.sender_key = context.sender_key.clone();
    stored.keys.recipient_key = context.recipient_key.clone();
    stored.keys.common_iv = context.common_iv.clone();
    stored.keys.sender_id = keystore::ConnectionIdBytes{context.sender_id};
    stored.head.recipient_id = keystore::ConnectionIdBytes{context.recipient_id};
    live_.emplace(Live{.context = std::move(context),
                       .sequence = oscore::SenderSequence{oscore::Piv{0}},
                       .created_ms = now.ms,
                       .failure_count = 0});
    const oscore::Piv reserved = live_->sequence.reservation(kReservationStep);
    stored.counters = counters(reserved, now);
    if (const Status done = keystore::store_session(storage_, kSlot, stored); !done) {
        forget();
        return done;
    }
    live_->sequence.on_stored(reserved);
    return {};
}

void ClientSession::forget() {
    live_.reset();
    // If storage fails the session comes back with counters that hold.
    (void)keystore::erase_session(storage_, kSlot).has_value();
}

Result<oscore::Piv> ClientSession::next_piv(Instant now) {
    if (!is_usable(now)) return Error::Expired;
    if (!live_->sequence.has_reserved()) {  // [SES-40]
        const oscore::Piv reserved = live_->sequence.reservation(kReservationStep);
        SOTTO_TRY(store_counters(reserved, now));
        live_->sequence.on_stored(reserved);
    }
    return live_->sequence.next();
}

void ClientSession::count_failure(Instant now) {
    if (!live_) return;
    ++live_->failure_count;
    if (live_->failure_count >= kSessionFailureCountMax) {
        forget();
    } else if (live_->failure_count % kReservationStep == 0) {
        // A failed write loses at most one step of the count. What is stored as reserved is more
        // than what may have been used.
        const oscore::Piv reserved = live_->sequence.reservation(kReservationStep);
        if (store_counters(reserved, now)) live_->sequence.on_stored(reserved);
    }
}

const oscore::Context& ClientSession::context() const {
    SOTTO_ASSERT(live_.has_value());
    return live_->context;
}

keystore::SessionTag ClientSession::tag() const {
    return keystore::session_tag(context().sender_key, context().recipient_key);
}

keystore::CounterRecord ClientSession::counters(oscore::Piv reserved, Instant now) const {
    return {.tag = tag(),
            .reserved = static_cast<std::uint32_t>(reserved.value()),
            .floor = 0,
            .age_s = static_cast<std::uint32_t>((now.ms - live_->created_ms) / 1'000),
            .failures = live_->failure_count};
}

Status ClientSession::store_counters(oscore::Piv reserved, Instant now) {
    return keystore::store_counters(storage_, kSlot, counters(reserved, now));
}

}  // namespace sotto::session
