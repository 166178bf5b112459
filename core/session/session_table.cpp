// SPDX-License-Identifier: Apache-2.0
#include "core/session/session_table.hpp"

namespace sotto::session {
namespace {

constexpr std::uint8_t kFixedSlot = 0;  // in the storage of its own

std::int32_t seconds_of(Moment now) { return static_cast<std::int32_t>(now.seconds()); }

std::uint32_t reserved_of(const SessionEntry& entry) {
    return (entry.next_piv + kReservationStep - 1) / kReservationStep * kReservationStep;
}

void reset(SessionEntry& entry) {
    const bool has_ended = entry.has_ended;
    std::destroy_at(&entry);  // which wipes the keys
    std::construct_at(&entry);
    entry.has_ended = has_ended;
}

bool is_role(std::uint8_t number) {
    return number >= static_cast<std::uint8_t>(Role::Owner) &&
           number <= static_cast<std::uint8_t>(Role::Trusted);
}

bool contains(std::span<SessionEntry> range, const SessionEntry& entry) {
    return &entry >= range.data() && &entry < range.data() + range.size();
}

}  // namespace

std::uint8_t SessionTable::id(std::size_t i) {
    const std::size_t n = i % kIdCount;
    return static_cast<std::uint8_t>(n < 24 ? n : 0x20 + (n - 24));
}

SessionTable::SessionTable(hal::Storage& storage, std::span<SessionEntry> entries)
    : storage_(storage), entries_(entries) {
    SOTTO_ASSERT(entries.size() >= kStoredSessions && entries.size() < kIdCount);
}

Status SessionTable::load(std::uint32_t epoch, Moment now) {
    clear(epoch);
    for (std::uint8_t slot = 0; slot < kStoredSessions; ++slot) {
        SessionEntry& entry = entries_[slot];
        keystore::SessionHead head;
        keystore::CounterRecord counters;
        const Status loaded = keystore::load_session(storage_, slot, {head, entry.keys, counters});
        if (loaded && head.epoch == epoch && is_role(head.role) && head.recipient_id.size() == 1 &&
            contains(range_of(static_cast<Role>(head.role)), entry)) {
            begin(entry, static_cast<Role>(head.role), now);
            entry.recipient_id = head.recipient_id.view()[0];
            restore(entry, counters, now);
            continue;
        }
        reset(entry);
        if (!loaded && loaded.error() == Error::StorageFailed) return loaded;
    }
    return {};
}

void SessionTable::begin(SessionEntry& entry, Role role, Moment now) {
    entry.role = role;
    entry.is_used = true;
    entry.created_s = seconds_of(now);
    touch(entry);
}

void SessionTable::restore(SessionEntry& entry,
                           const keystore::CounterRecord& counters,
                           Moment now) {
    entry.is_confirmed = true;
    entry.is_synchronised = false;  // [SES-43]
    entry.next_piv = counters.reserved;
    entry.floor = counters.floor;
    entry.window = oscore::ReplayWindow{counters.floor};
    entry.failure_count = counters.failures;
    entry.created_s = seconds_of(now) - static_cast<std::int32_t>(counters.age_s);
}

Status SessionTable::add(const edhoc::OscoreKeys& keys,
                         Role role,
                         Moment now,
                         SessionEntry*& added) {
    const Bytes recipient_id = keys.recipient_id.view();
    SOTTO_ASSERT(recipient_id.size() == 1);  // chosen among id()
    SessionEntry& entry = make_room(role);
    added = &entry;
    begin(entry, role, now);
    entry.keys.sender_id = oscore::Id{keys.sender_id.view()};
    entry.recipient_id = recipient_id[0];
    entry.is_synchronised = true;  // new keys: nothing can be a replay
    const Status derived = oscore::derive_keys(
        {.master_secret = keys.master_secret.expose(),
         .master_salt = keys.master_salt.expose(),
         .sender_id = keys.sender_id.view(),
         .recipient_id = recipient_id},
        {entry.keys.sender_key, entry.keys.recipient_key, entry.keys.common_iv});
    if (!derived) reset(entry);
    return derived;
}

Status SessionTable::add_fixed(const Fixed& fixed, Moment now) {
    if (SessionEntry* other = find(fixed.context.recipient_id); other != nullptr) erase(*other);
    SessionEntry& entry = make_room(Role::Trusted);
    begin(entry, Role::Trusted, now);
    entry.keys.sender_key = fixed.context.sender_key.clone();
    entry.keys.recipient_key = fixed.context.recipient_key.clone();
    entry.keys.common_iv = fixed.context.common_iv.clone();
    entry.keys.sender_id = fixed.context.sender_id;
    entry.is_fixed = true;
    fixed_storage_ = &fixed.storage;
    fixed_id_ = fixed.context.recipient_id;
    fixed_id_context_ = fixed.id_context;
    const Status started = start_fixed(entry, fixed, now);
    if (!started) reset(entry);
    return started;
}

Status SessionTable::start_fixed(SessionEntry& entry, const Fixed& fixed, Moment now) {
    const auto stored = keystore::load_counters(fixed.storage, kFixedSlot);
    if (stored && stored->tag == tag_of(entry)) {
        if (stored->failures >= kSessionFailureCountMax) return Error::Expired;
        restore(entry, *stored, now);
        return {};
    }
    if (!stored && stored.error() != Error::NotFound) return stored.error();
    if (!fixed.is_new) return Error::NotFound;
    entry.is_confirmed = true;
    entry.is_synchronised = true;
    return store_counters(entry, 0, now);
}

std::span<SessionEntry> SessionTable::range_of(Role role) const {
    if (role == Role::Owner) return entries_.first(kOwnerSessions);
    const std::span<SessionEntry> others = entries_.subspan(kOwnerSessions);
    return role == Role::Cloud ? others.first(kCloudSessions) : others.subspan(kCloudSessions);
}

SessionEntry& SessionTable::make_room(Role role) {
    const std::span<SessionEntry> range = range_of(role);
    SOTTO_ASSERT(!range.empty());
    SessionEntry* oldest = nullptr;
    for (SessionEntry& entry : range) {
        if (!entry.is_used) return entry;
        if (entry.is_fixed) continue;
        if (oldest == nullptr || entry.last_used < oldest->last_used) oldest = &entry;
    }
    SOTTO_ASSERT(oldest != nullptr);
    erase(*oldest);
    return *oldest;
}

Bytes SessionTable::recipient_id_of(const SessionEntry& entry) const {
    return entry.is_fixed ? fixed_id_.view() : Bytes{&entry.recipient_id, 1};
}

SessionEntry* SessionTable::find(Bytes recipient_id) {
    for (SessionEntry& entry : entries_) {
        if (entry.is_used && equal(recipient_id_of(entry), recipient_id)) return &entry;
    }
    return nullptr;
}

bool SessionTable::has_kid_context(const SessionEntry& entry,
                                   std::optional<Bytes> kid_context) const {
    if (!kid_context) return true;
    return entry.is_fixed && fixed_id_context_ && equal(*fixed_id_context_, *kid_context);
}

oscore::ContextView SessionTable::context_of(const SessionEntry& entry) const {
    return {.sender_key = entry.keys.sender_key,
            .recipient_key = entry.keys.recipient_key,
            .common_iv = entry.keys.common_iv,
            .sender_id = entry.keys.sender_id,
            .recipient_id = recipient_id_of(entry)};
}

keystore::SessionTag SessionTable::tag_of(const SessionEntry& entry) const {
    return keystore::session_tag(entry.keys.sender_key, entry.keys.recipient_key);
}

SessionEntry* SessionTable::find_tag(const keystore::SessionTag& tag) {
    for (SessionEntry& entry : entries_) {
        if (entry.is_used && tag_of(entry) == tag) return &entry;
    }
    return nullptr;
}

bool SessionTable::find_last(const SessionEntry* entry,
                             const keystore::SessionTag& tag,
                             LastExecuted& last) const {
    if (entry != nullptr) last.end = entry->floor;
    const auto slot = entry != nullptr ? slot_of(*entry) : find_numbers(tag, last.end);
    if (!slot) return entry != nullptr;
    hal::Storage& storage = entry != nullptr ? storage_of(*entry) : storage_;
    const Status loaded = keystore::load_result(storage, *slot, last.record);
    last.has_record = loaded && last.record.tag == tag && last.record.piv + 1 >= last.end;
    if (last.has_record) last.end = last.record.piv + 1;
    return true;
}

// The slot whose numbers those of this session are still, and where they end: they outlive it until
// another one takes the place.
std::optional<std::uint8_t> SessionTable::find_numbers(const keystore::SessionTag& tag,
                                                       std::uint32_t& end) const {
    for (std::uint8_t slot = 0; slot < kStoredSessions; ++slot) {
        keystore::CounterRecord counters;
        if (!keystore::load_counters(storage_, slot, counters) || counters.tag != tag) continue;
        end = counters.floor;
        return slot;
    }
    return std::nullopt;
}

std::optional<std::uint8_t> SessionTable::slot_of(const SessionEntry& entry) const {
    if (entry.is_fixed) return kFixedSlot;
    const std::size_t index = index_of(entry);
    if (index >= kStoredSessions || entry.role == Role::Guest) return std::nullopt;
    return static_cast<std::uint8_t>(index);
}

hal::Storage& SessionTable::storage_of(const SessionEntry& entry) const {
    return entry.is_fixed ? *fixed_storage_ : storage_;
}

std::size_t SessionTable::index_of(const SessionEntry& entry) const {
    return static_cast<std::size_t>(&entry - entries_.data());
}

keystore::CounterRecord SessionTable::counters_of(const SessionEntry& entry,
                                                  std::uint32_t reserved,
                                                  Moment now) const {
    return {.tag = tag_of(entry),
            .reserved = reserved,
            .floor = entry.floor,
            .age_s = static_cast<std::uint32_t>(seconds_of(now) - entry.created_s),
            .failures = entry.failure_count};
}

Status SessionTable::store_counters(const SessionEntry& entry, std::uint32_t reserved, Moment now) {
    const auto slot = slot_of(entry);
    if (!slot || !entry.is_confirmed) return {};  // lives in RAM only
    return keystore::store_counters(storage_of(entry), *slot, counters_of(entry, reserved, now));
}

Status SessionTable::confirm(SessionEntry& entry, Moment now) {
    if (entry.is_confirmed) return {};
    if (const auto slot = slot_of(entry)) {
        keystore::SessionHead head{
            .epoch = epoch_,
            .role = static_cast<std::uint8_t>(entry.role),
            .recipient_id = keystore::ConnectionIdBytes{recipient_id_of(entry)}};
        keystore::CounterRecord counters = counters_of(entry, reserved_of(entry), now);
        SOTTO_TRY(keystore::store_session(
            storage_, *slot, keystore::SessionParts{head, entry.keys, counters}));
    }
    entry.is_confirmed = true;
    return {};
}

void SessionTable::touch(SessionEntry& entry) {
    if (++turn_ == 0) {
        for (SessionEntry& each : entries_) each.last_used = 0;
        turn_ = 1;
    }
    entry.last_used = turn_;
}

Result<oscore::Piv> SessionTable::next_piv(SessionEntry& entry, Moment now) {
    if (entry.next_piv >= kSessionMessageCountMax) return Error::Expired;  // [SES-46]
    if (entry.next_piv % kReservationStep == 0) {                          // [SES-40]
        SOTTO_TRY(store_counters(entry, entry.next_piv + kReservationStep, now));
    }
    return oscore::Piv{entry.next_piv++};
}

Status SessionTable::raise_floor(SessionEntry& entry, std::uint32_t piv, Moment now) {
    const std::uint32_t before = entry.floor;
    raise_floor_in_ram(entry, piv);
    const Status stored = store_counters(entry, reserved_of(entry), now);
    if (!stored) entry.floor = before;
    return stored;
}

void SessionTable::raise_floor_in_ram(SessionEntry& entry, std::uint32_t piv) {
    entry.floor = std::max(entry.floor, piv + 1);
}

void SessionTable::count_failure(SessionEntry& entry, Moment now) {
    ++entry.failure_count;
    if (entry.failure_count >= kSessionFailureCountMax) {
        // A context from outside comes again at the next start: it must stay ended.
        if (entry.is_fixed) (void)store_counters(entry, reserved_of(entry), now).has_value();
        erase(entry);
    } else if (entry.failure_count % kReservationStep == 0) {
        // A failed write loses at most one step of the count.
        (void)store_counters(entry, reserved_of(entry), now).has_value();
    }
}

bool SessionTable::is_expired(const SessionEntry& entry, Moment now) const {
    if (entry.is_fixed) return false;
    const auto age = static_cast<std::uint32_t>(seconds_of(now) - entry.created_s);
    // Without numbers of its own it could neither challenge nor notify: its peer needs new keys.
    return age > kSessionLifetimeSeconds || entry.window.next() > kSessionMessageCountMax ||
           entry.next_piv >= kSessionMessageCountMax;
}

void SessionTable::erase(SessionEntry& entry) {
    if (const auto slot = slot_of(entry); slot && entry.is_confirmed && !entry.is_fixed) {
        // If storage fails, the record comes back at the next boot, with counters that hold.
        (void)keystore::erase_session(storage_, *slot).has_value();
    }
    reset(entry);
    entry.has_ended = true;
}

void SessionTable::erase_role(Role role) {
    for (SessionEntry& entry : entries_) {
        if (entry.is_used && !entry.is_fixed && entry.role == role) erase(entry);
    }
}

Status SessionTable::erase_others(const SessionEntry& kept) {
    for (SessionEntry& entry : range_of(kept.role)) {
        if (&entry == &kept || entry.is_fixed) continue;
        if (const auto slot = slot_of(entry)) SOTTO_TRY(keystore::erase_session(storage_, *slot));
        if (entry.is_used) erase(entry);
    }
    return {};
}

void SessionTable::clear(std::uint32_t epoch) {
    for (SessionEntry& entry : entries_) {
        if (!entry.is_fixed) reset(entry);
    }
    epoch_ = epoch;
}

}  // namespace sotto::session
