// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/outbox.hpp"

#include <algorithm>

namespace sotto::sim {
namespace {

constexpr std::uint32_t kGrace = 20;  // seconds: for what is still on its way

}  // namespace

Verdict verdict_of(const session::Answer& answer) {
    if (coap::is_success(answer.code)) return Verdict::Done;
    const bool may_have_run = answer.code == coap::Code::InternalServerError;
    return may_have_run ? Verdict::Unknown : Verdict::NotRun;
}

std::vector<const Outbox::Entry*> Outbox::to_hand_in(std::uint32_t time) const {
    std::vector<const Entry*> waiting;
    for (const Entry& entry : entries_) {
        if (!entry.is_stored && time < entry.not_after) waiting.push_back(&entry);
    }
    return waiting;
}

void Outbox::on_outcome(std::uint32_t reference, bool is_taken) {
    const auto found = std::ranges::find(entries_, reference, &Entry::reference);
    if (found != entries_.end()) found->is_stored |= is_taken;
}

bool Outbox::take(session::Client& client, const Message& message, Instant now) {
    for (const Entry& entry : entries_) {
        const auto answer = client.open(entry.deferred, message, now);
        if (!answer) continue;
        const std::string result{as_text(answer->payload)};
        return settle(entry.reference, verdict_of(*answer), result), true;
    }
    return false;
}

const Outbox::Entry* Outbox::to_settle(std::uint32_t time) const {
    const auto has_time = [time](const Entry& entry) { return time <= entry.not_after + kGrace; };
    if (entries_.empty() || std::ranges::any_of(entries_, has_time)) return nullptr;
    return &entries_.front();
}

void Outbox::settle(std::uint32_t reference, Verdict verdict, const std::string& result) {
    const auto found = std::ranges::find(entries_, reference, &Entry::reference);
    if (found == entries_.end()) return;
    ledger_.on_told(found->command, verdict, result);
    if (verdict == Verdict::Done) ++done_count_;
    entries_.erase(found);
}

}  // namespace sotto::sim
