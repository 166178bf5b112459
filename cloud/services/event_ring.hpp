// SPDX-License-Identifier: Apache-2.0
// The events of late, for whoever listens and for whoever comes back: one bounded ring for each
// account. A listener keeps nothing but a place in it, so that one who never reads costs nothing.
// Allocates; never blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cloud/services/open_device.hpp"

namespace sotto::cloud::services {

using EventPtr = std::shared_ptr<const Event>;

// Of one account; of one device, and of one product, if it names one; with names that begin with
// `prefix`.
struct EventFilter {
    model::AccountId owner;
    std::string prefix{};
    std::optional<model::DeviceId> publisher{};
    std::uint16_t product = 0;  // 0: of whichever, or of none
};

bool passes(const EventFilter& filter, const Event& event);

class EventListener {
  public:
    // There may be something new. Comes from within publish(): do no more than begin.
    virtual void on_news() = 0;

  protected:
    ~EventListener() = default;
};

class EventRing {
  public:
    // Ids rise from that of `now`; `render` makes Event::text.
    explicit EventRing(Instant now, std::function<std::string(const Event&)> render = {});

    EventPtr publish(Event event);

    // The next event behind `*cursor` that passes, and moves the cursor to it; or none, and moves
    // it to the end.
    EventPtr next(const EventFilter& filter, std::uint64_t& cursor) const;
    // Where a new listener begins.
    std::uint64_t last_id() const { return last_id_; }

    // Until unlisten(). A listener listens to one account.
    void listen(model::AccountId owner, EventListener& listener);
    void unlisten(model::AccountId owner, EventListener& listener);
    std::size_t listener_count() const { return listener_count_; }
    std::size_t bytes() const { return bytes_; }

  private:
    using Order = std::list<model::AccountId>;
    struct Kept {
        EventPtr event;
        Order::iterator place;
    };
    struct Account {
        std::deque<Kept> events{};
        std::size_t bytes = 0;
        std::vector<EventListener*> listeners{};
    };

    void drop_first(Account& account);
    void make_room(Account& account);
    void tell_listeners(model::AccountId owner);
    void forget_if_empty(model::AccountId owner);

    std::function<std::string(const Event&)> render_;
    std::uint64_t last_id_;
    std::unordered_map<model::AccountId, Account, model::IdHash> accounts_;
    Order order_;  // whose each event is, the oldest first
    std::size_t bytes_ = 0;
    std::size_t listener_count_ = 0;
};

}  // namespace sotto::cloud::services
