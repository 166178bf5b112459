// SPDX-License-Identifier: Apache-2.0
// The deferred commands of an app of the simulation, which survive its crashes: as app/client's
// outbox, and what `sotto outbox` makes of it.
#pragma once

#include <string>
#include <vector>

#include "core/session/client.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/world.hpp"

namespace sotto::sim {

class Outbox {
  public:
    explicit Outbox(Ledger& ledger) : ledger_(ledger) {}

    struct Entry {
        std::uint32_t reference = 0;  // to the cloud
        std::string command;
        session::Deferred deferred = {};
        Message message = {};
        std::uint32_t not_after = 0;
        bool is_stored = false;  // the cloud has it, or the device
    };

    bool is_empty() const { return entries_.empty(); }
    std::size_t count() const { return entries_.size(); }
    std::size_t done_count() const { return done_count_; }
    void add(Entry entry) { entries_.push_back(std::move(entry)); }
    // What the cloud has not said yes to.
    std::vector<const Entry*> to_hand_in(std::uint32_t time) const;
    void on_outcome(std::uint32_t reference, bool is_taken);
    // Whether the message was the answer to one of them.
    bool take(session::Client& client, const Message& message, Instant now);
    // The one to be settled: nobody has time any more, so nobody can be harmed by it [SES-45].
    const Entry* to_settle(std::uint32_t time) const;
    void settle(std::uint32_t reference, Verdict verdict, const std::string& result);

  private:
    Ledger& ledger_;
    std::vector<Entry> entries_;  // without an end
    std::size_t done_count_ = 0;
};

// What the device's answer to a deferred command says.
Verdict verdict_of(const session::Answer& answer);

}  // namespace sotto::sim
