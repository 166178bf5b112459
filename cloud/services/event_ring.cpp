// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/event_ring.hpp"

#include <algorithm>
#include <utility>

#include "cloud/services/limits.hpp"
#include "core/base/assert.hpp"

namespace sotto::cloud::services {

namespace {

// What an event takes here: itself, its texts, and its places in two queues.
std::size_t size_of(const Event& event) {
    const std::size_t data = event.what.data ? event.what.data->size() : 0;
    return sizeof(Event) + event.what.name.size() + data + event.text.size() + 64;
}

// So that the ids of this run are above those of the runs before, and below 2^53.
std::uint64_t first_id(Instant now) {
    constexpr std::uint64_t kIdsPerMillisecond = 1'024;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms, 0)) * kIdsPerMillisecond;
}

}  // namespace

bool passes(const EventFilter& filter, const Event& event) {
    return event.owner == filter.owner && event.what.name.starts_with(filter.prefix) &&
           (!filter.publisher || filter.publisher == event.publisher) &&
           (filter.product == 0 || filter.product == event.what.product);
}

EventRing::EventRing(Instant now, std::function<std::string(const Event&)> render)
    : render_(std::move(render)), last_id_(first_id(now)) {}

EventPtr EventRing::publish(Event event) {
    event.id = ++last_id_;
    if (render_) event.text = render_(event);
    const auto kept = std::make_shared<const Event>(std::move(event));
    Account& account = accounts_[kept->owner];
    account.events.push_back({.event = kept, .place = order_.insert(order_.end(), kept->owner)});
    account.bytes += size_of(*kept);
    bytes_ += size_of(*kept);
    make_room(account);
    tell_listeners(kept->owner);
    return kept;
}

void EventRing::drop_first(Account& account) {
    const Kept& first = account.events.front();
    const std::size_t size = size_of(*first.event);
    account.bytes -= size;
    bytes_ -= size;
    order_.erase(first.place);
    account.events.pop_front();
}

// First from the account itself, then from whoever has the oldest.
void EventRing::make_room(Account& account) {
    while (account.events.size() > kEventsPerAccountMax ||
           account.bytes > kEventBytesPerAccountMax) {
        drop_first(account);
    }
    while (bytes_ > kEventBytesMax) {
        const model::AccountId owner = order_.front();
        drop_first(accounts_.at(owner));
        forget_if_empty(owner);
    }
}

// A listener may go, or come, while they are told.
void EventRing::tell_listeners(model::AccountId owner) {
    const auto found = accounts_.find(owner);
    if (found == accounts_.end()) return;
    const std::vector<EventListener*> told = found->second.listeners;
    for (EventListener* const listener : told) {
        const auto account = accounts_.find(owner);
        if (account == accounts_.end()) return;
        const auto& listeners = account->second.listeners;
        if (std::ranges::find(listeners, listener) != listeners.end()) listener->on_news();
    }
}

EventPtr EventRing::next(const EventFilter& filter, std::uint64_t& cursor) const {
    const auto found = accounts_.find(filter.owner);
    if (found != accounts_.end()) {
        const auto& events = found->second.events;
        const auto id_of = [](const Kept& kept) { return kept.event->id; };
        auto kept = std::ranges::upper_bound(events, cursor, {}, id_of);
        for (; kept != events.end(); ++kept) {
            if (!passes(filter, *kept->event)) continue;
            cursor = kept->event->id;
            return kept->event;
        }
    }
    cursor = std::max(cursor, last_id_);
    return nullptr;
}

void EventRing::listen(model::AccountId owner, EventListener& listener) {
    accounts_[owner].listeners.push_back(&listener);
    ++listener_count_;
}

void EventRing::unlisten(model::AccountId owner, EventListener& listener) {
    const auto found = accounts_.find(owner);
    SOTTO_ASSERT(found != accounts_.end());
    const auto erased = std::erase(found->second.listeners, &listener);
    SOTTO_ASSERT(erased == 1);
    --listener_count_;
    forget_if_empty(owner);
}

void EventRing::forget_if_empty(model::AccountId owner) {
    const auto found = accounts_.find(owner);
    if (found->second.events.empty() && found->second.listeners.empty()) accounts_.erase(found);
}

}  // namespace sotto::cloud::services
