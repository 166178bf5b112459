// SPDX-License-Identifier: Apache-2.0
// The client's OSCORE session with one device, as it is stored: keys, the numbers that it has used,
// and its end (docs/protocol/session.md, SES-40, SES-46). No allocation.
#pragma once

#include "core/edhoc/exporter.hpp"
#include "core/keystore/records.hpp"
#include "core/oscore/context.hpp"
#include "core/oscore/sender_sequence.hpp"
#include "core/session/limits.hpp"

namespace sotto::session {

class ClientSession {
  public:
    explicit ClientSession(hal::Storage& storage) : storage_(storage) {}

    // Reads what is stored; a damaged or void session is none. Error::StorageFailed.
    Status load(Instant now);
    bool exists() const { return live_.has_value(); }
    // Whether there is one, within its lifetime.
    bool is_usable(Instant now) const;

    // A new session in place of the one there is, with numbers of its own: stored when this
    // returns. Error::StorageFailed, NoSpace: there is none afterwards.
    Status replace(const edhoc::OscoreKeys& keys, Instant now);
    // As after replace() has failed: nothing in RAM, and nothing stored if storage works.
    void forget();

    // A number that was never used. Error::StorageFailed; Error::Expired at the end of its keys.
    Result<oscore::Piv> next_piv(Instant now);
    // Something did not verify; too many of them end the session.
    void count_failure(Instant now);

    // Precondition of both: there is a session.
    const oscore::Context& context() const;
    keystore::SessionTag tag() const;

  private:
    struct Live {
        oscore::Context context;
        oscore::SenderSequence sequence;
        std::int64_t created_ms;  // negative if before this process
        std::uint16_t failure_count;
    };

    Status store_counters(oscore::Piv reserved, Instant now);
    keystore::CounterRecord counters(oscore::Piv reserved, Instant now) const;

    hal::Storage& storage_;
    std::optional<Live> live_;
};

}  // namespace sotto::session
