// SPDX-License-Identifier: Apache-2.0
// The OSCORE sessions of a device at rest: who may speak under which keys, their sequence numbers,
// and what of them is stored (docs/protocol/session.md, SES-40 to SES-47). No allocation: the
// entries are the caller's.
//
// The place of an entry says whose it is and whether it is stored: first those of the owner, then
// the cloud's, then others' that are stored, then others' in RAM only. A guest's is never stored.
#pragma once

#include <array>

#include "core/edhoc/exporter.hpp"
#include "core/keystore/records.hpp"
#include "core/oscore/context.hpp"
#include "core/oscore/replay_window.hpp"
#include "core/session/authority.hpp"

namespace sotto::session {

// A chip holds many: every byte counts (bench: session_ram_bytes).
// What is used most comes first, where an instruction can reach it.
struct SessionEntry {
    Role role : 3 = Role::Trusted;
    bool has_ended : 1 = false;  // the one that was here before; see take_ended()
    bool is_used : 1 = false;
    bool is_confirmed : 1 = false;     // a valid request has come
    bool is_synchronised : 1 = false;  // the replay window is that of this boot
    bool is_fixed : 1 = false;         // from outside: the table keeps its Recipient ID
    std::uint8_t recipient_id = 0;
    std::uint16_t failure_count = 0;
    std::uint32_t next_piv = 0;  // reserved in storage up to the next multiple of the step
    oscore::ReplayWindow window;
    std::uint32_t floor = 0;      // 1 + the last executed Partial IV
    std::int32_t created_s = 0;   // since boot; negative if before
    std::uint16_t last_used = 0;  // a turn of the table
    keystore::SessionKeys keys;
};

class SessionTable {
  public:
    // Recipient IDs are single bytes that EDHOC sends as integers (RFC 9528 §3.3.2).
    static constexpr std::size_t kIdCount = 48;
    // The i-th of them, modulo kIdCount.
    static std::uint8_t id(std::size_t i);

    // Precondition: entries.size() >= kStoredSessions.
    SessionTable(hal::Storage& storage, std::span<SessionEntry> entries);

    // Loads the stored sessions of this epoch. Damaged or outdated ones are void: their peers
    // shake hands again. Error::StorageFailed.
    Status load(std::uint32_t epoch, Moment now);

    // Adds a session, in place of the least recently used one of its kind if there is no room.
    // Nothing is stored before confirm(). `added` is its entry.
    Status add(const edhoc::OscoreKeys& keys, Role role, Moment now, SessionEntry*& added);
    // Adds the one session with a context from outside, in place of one with the same Recipient ID.
    // Its counters are kept in a storage of their own. Error::NotFound: there are none, and the
    // context is not said to be new; whoever goes on all the same risks a nonce twice.
    // Error::Expired: it has failed too often; Error::StorageFailed, Malformed.
    struct Fixed {
        const oscore::Context& context;
        hal::Storage& storage;                           // borrowed
        std::optional<Bytes> id_context = std::nullopt;  // borrowed
        bool is_new = false;
    };
    Status add_fixed(const Fixed& fixed, Moment now);

    // The session of this Recipient ID; null if there is none.
    SessionEntry* find(Bytes recipient_id);
    // Whether a message with this kid context may mean the session (RFC 8613 §5.1). The AEAD does
    // not cover it.
    bool has_kid_context(const SessionEntry& entry, std::optional<Bytes> kid_context) const;
    // Not inlined, which on a Cortex-M0 is smaller.
    [[gnu::noinline]] oscore::ContextView context_of(const SessionEntry& entry) const;
    keystore::SessionTag tag_of(const SessionEntry& entry) const;
    SessionEntry* find_tag(const keystore::SessionTag& tag);
    // The number of the entry's records, or nothing if it is not stored.
    std::optional<std::uint8_t> slot_of(const SessionEntry& entry) const;
    // Where its records are. Precondition: it has a slot.
    [[gnu::noinline]] hal::Storage& storage_of(const SessionEntry& entry) const;

    struct LastExecuted {
        std::uint32_t end = 0;  // 1 + the last executed Partial IV; 0: nothing was executed
        bool has_record = false;
        keystore::ResultRecord record{};  // of that one, if it is known
    };
    // What the session of this tag executed last; false if that cannot be said for sure. `entry` is
    // the session, or null if it is not alive.
    bool find_last(const SessionEntry* entry,
                   const keystore::SessionTag& tag,
                   LastExecuted& last) const;

    // A valid request has come: from now on the session is stored, if it is of the kind.
    Status confirm(SessionEntry& entry, Moment now);
    // Marks it as the most recently used.
    void touch(SessionEntry& entry);

    // A Partial IV that was never used, stored as used before it is given away.
    // Error::StorageFailed; Error::Expired when the session has had its number of messages.
    Result<oscore::Piv> next_piv(SessionEntry& entry, Moment now);
    // Everything up to `piv` counts as executed: stored, or in RAM alone.
    Status raise_floor(SessionEntry& entry, std::uint32_t piv, Moment now);
    static void raise_floor_in_ram(SessionEntry& entry, std::uint32_t piv);

    // Ends the session when it has failed too often (SES-46).
    void count_failure(SessionEntry& entry, Moment now);
    bool is_expired(const SessionEntry& entry, Moment now) const;

    // Forgets a session, in storage too.
    void erase(SessionEntry& entry);
    // Forgets all sessions of a role.
    void erase_role(Role role);
    // Forgets all other sessions of the role of this one. Error::StorageFailed: some may come back
    // at the next boot.
    Status erase_others(const SessionEntry& kept);
    // Whether the session at this place has ended since this was last asked: what else is kept of
    // it must go before the place is used by another.
    bool take_ended(std::size_t index) {
        const bool has_ended = entries_[index].has_ended;
        entries_[index].has_ended = false;
        return has_ended;
    }
    // Forgets all, in RAM: storage is void by its epoch.
    void clear(std::uint32_t epoch);

    std::size_t size() const { return entries_.size(); }
    std::size_t index_of(const SessionEntry& entry) const;
    SessionEntry& at(std::size_t index) { return entries_[index]; }

  private:
    std::span<SessionEntry> range_of(Role role) const;
    SessionEntry& make_room(Role role);
    // A session without keys in this place, which becomes used.
    void begin(SessionEntry& entry, Role role, Moment now);
    Bytes recipient_id_of(const SessionEntry& entry) const;
    std::optional<std::uint8_t> find_numbers(const keystore::SessionTag& tag,
                                             std::uint32_t& end) const;
    Status start_fixed(SessionEntry& entry, const Fixed& fixed, Moment now);
    void restore(SessionEntry& entry, const keystore::CounterRecord& counters, Moment now);
    Status store_counters(const SessionEntry& entry, std::uint32_t reserved, Moment now);
    keystore::CounterRecord counters_of(const SessionEntry& entry,
                                        std::uint32_t reserved,
                                        Moment now) const;

    hal::Storage& storage_;
    hal::Storage* fixed_storage_ = nullptr;
    oscore::Id fixed_id_;
    std::optional<Bytes> fixed_id_context_;
    std::span<SessionEntry> entries_;
    std::uint32_t epoch_ = 0;
    std::uint16_t turn_ = 0;
};

}  // namespace sotto::session
