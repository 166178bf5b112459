// SPDX-License-Identifier: Apache-2.0
// Who observes which event, and the events that wait to be told (RFC 7641; docs/protocol, SES-50
// to SES-52). No allocation.
#pragma once

#include <optional>
#include <span>

#include "core/base/fixed_vector.hpp"
#include "core/coap/message.hpp"
#include "core/oscore/message.hpp"
#include "core/session/channel.hpp"
#include "core/session/limits.hpp"
#include "core/session/moment.hpp"
#include "core/session/resources.hpp"

namespace sotto::session {

struct Observation {
    bool is_used = false;
    std::uint8_t session = 0;  // index in the session table
    std::uint8_t event = 0;
    std::uint16_t message_id = 0;  // of the last notification
    Channel channel;
    FixedBytes<coap::kTokenSizeMax> token;
    oscore::RequestBinding binding;
    Moment expires{};
};

struct PendingEvent {
    std::uint8_t event = 0;
    std::uint8_t waiting = 0;  // a bit for each observation that has not been told
    Format format = Format::Text;
    FixedBytes<kEventSizeMax> payload;
};

class Observations {
  public:
    // Borrows the places of events that wait. Precondition: there is one at least.
    explicit Observations(std::span<PendingEvent> places) : pending_(places) {
        SOTTO_ASSERT(!places.empty());
    }

    // The place of a new observation, or of one that is renewed: the same session and token stand
    // for one. The caller fills in the rest. Null: there is no room.
    Observation* add(std::uint8_t session, Bytes token, Moment now);
    void remove(std::uint8_t session, Bytes token);
    void remove_session(std::uint8_t session);
    // A Reset came for a message of ours: that observer has lost interest (RFC 7641 §3.6).
    void on_reset(Channel channel, std::uint16_t message_id);
    // The latest request of a session says where its notifications go [SES-52].
    void retarget(std::uint8_t session, Channel channel);
    void clear();

    // Queues an event for those who observe it now. Error::NoSpace: too many wait; Error::TooLarge.
    Status publish(std::uint8_t event, const Content& content);

    // The next observer that has to be told, who counts as told from then on, and what, as long as
    // nothing is published; null: none.
    Observation* next(Moment now, Content& content);

  private:
    static_assert(kObservations <= 8);
    void release(std::size_t index);
    void expire(Moment now);
    Observation* find(std::uint8_t session, Bytes token);

    std::array<Observation, kObservations> slots_{};
    // A ring: so many, from the first one on.
    std::span<PendingEvent> pending_;
    std::uint8_t first_ = 0;
    std::uint8_t count_ = 0;
};

}  // namespace sotto::session
