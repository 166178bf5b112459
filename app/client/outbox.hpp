// SPDX-License-Identifier: Apache-2.0
// Deferred commands of an app to one device, as they are kept until their end is known, and the
// latest of those that ended (docs/formats/app_state.md). Allocates.
#pragma once

#include <string>
#include <vector>

#include "app/client/limits.hpp"
#include "app/client/records.hpp"
#include "core/coap/code.hpp"
#include "core/session/client.hpp"

namespace sotto::app {

enum class Stage : std::uint8_t {
    Sealed = 1,   // it may be at the cloud already
    Stored = 2,   // the cloud has said that it keeps it
    Done = 3,     // the device ran it
    Refused = 4,  // the device did not run it and never will, or the cloud did not take it
    Expired = 5,  // its time was over before the device had it
    Dropped = 6,  // the cloud gave the device to another account
    Unknown = 7,  // it may have run, once, and nobody can say
};

struct OutboxEntry {
    std::uint32_t number = 0;  // within this outbox; never used again
    Stage stage = Stage::Sealed;
    std::uint8_t slot = 0;  // of the session that it was sealed in
    session::Deferred deferred = {};
    std::uint32_t sealed_at = 0;  // seconds since 1970, as the next
    std::uint32_t not_after = 0;
    coap::Code code = coap::Code::Empty;  // of the device's answer
    std::string function;
    std::string argument;
    std::string result;
    std::vector<std::uint8_t> message;  // while it is Sealed

    bool has_ended() const { return stage > Stage::Stored; }
};

// All entries, by number. Error::StorageFailed, Malformed.
Result<std::vector<OutboxEntry>> load_outbox(hal::Storage& storage);
// Error::StorageFailed, NoSpace; Error::TooLarge for what the format cannot hold.
Status store_outbox_entry(hal::Storage& storage, const OutboxEntry& entry);
// Adds a new entry, whose number it sets. Error::Busy if there are too many without an end; others
// as above.
Status add_outbox_entry(hal::Storage& storage, OutboxEntry& entry);

}  // namespace sotto::app
