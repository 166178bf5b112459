// SPDX-License-Identifier: Apache-2.0
// The cloud's own sessions with devices: each link that says it leads to a device is asked to prove
// that, by an answer of the device to `POST /a` under keys that only the device can have
// (docs/protocol/session.md, SES-61). Sessions are resumed where that is possible.
//
// Sans-I/O: what happens is told to it, and what is to be done is pulled with next_action() after
// each call. A device that has proved itself is forgotten here, and at most kAskedMax are asked at
// a time, for that is what takes memory: the others wait for their turn. One link at a time speaks
// to a device, the latest one, because two would use the same sequence numbers; and nothing is sent
// before the numbers that it uses have been saved. Allocates; bounded by the number of links.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "cloud/link/limits.hpp"
#include "cloud/link/link_context.hpp"
#include "core/session/client.hpp"

namespace sotto::cloud::link {

using LinkNumber = Strong<std::uint64_t, struct LinkNumberTag>;

// Asks the store for the record of this device; on_loaded() takes it.
struct Load {
    model::DeviceId device{};
};
// Writes the record of this device; on_saved() follows.
struct Save {
    model::DeviceId device{};
    std::vector<std::uint8_t> record;
};
struct Send {
    LinkNumber link;
    std::vector<std::uint8_t> message;
};
// The device behind the link holds the key of `credential`, and shows what its owner gave it.
struct Proved {
    LinkNumber link;
    model::DeviceId device{};
    model::CredentialHash credential{};
    model::ClaimCode claim;
};
struct NotProved {
    LinkNumber link;
};
using Action = std::variant<Load, Save, Send, Proved, NotProved>;

class Attachments {
  public:
    struct Setup {
        edhoc::Identity identity;  // the cloud's
        hal::Entropy& entropy;
    };
    explicit Attachments(const Setup& setup) : setup_(setup) {}

    // A link says that it leads to `device`; if the device is registered, only the holder of
    // `credential` will do. Again for the same link: begins anew.
    void start(LinkNumber link,
               const model::DeviceId& device,
               const std::optional<model::CredentialHash>& credential,
               Instant now);
    void on_message(LinkNumber link, const model::DeviceId& device, Bytes message, Instant now);
    void on_link_gone(LinkNumber link);
    // Nothing: there is no record, or it cannot be read.
    void on_loaded(const model::DeviceId& device,
                   const std::optional<std::vector<std::uint8_t>>& record,
                   Instant now);
    void on_saved(const model::DeviceId& device, bool is_done, Instant now);
    // To be called at least once in each second.
    void on_time(Instant now);

    std::optional<Action> next_action();

  private:
    // One device that is being asked, or has been in vain and may be asked again.
    struct Session {
        LinkNumber link;
        std::optional<model::CredentialHash> required;
        std::optional<LinkContext> context;       // once it was loaded
        std::unique_ptr<session::Client> client;  // while the device is being asked
        std::optional<Instant> retry_at;
        bool is_waiting = false;  // for its turn
        bool is_proved = false;
        std::size_t failure_count = 0;
        std::size_t open_save_count = 0;
    };
    using Sessions = std::map<model::DeviceId, Session>;

    void begin(const model::DeviceId& device, Session& session, Instant now);
    void ask(const model::DeviceId& device, Session& session, Instant now);
    void end_asking(Session& session);
    void let_in(Instant now);
    void forget_proved();
    void pump(const model::DeviceId& device, Session& session, Instant now);
    void on_event(const model::DeviceId& device,
                  Session& session,
                  const session::Event& event,
                  Instant now);
    void on_answer(const model::DeviceId& device, Session& session, const session::Answer& answer);
    void fail(Session& session, bool may_retry, Instant now);
    bool save_changes(const model::DeviceId& device, Session& session);

    Setup setup_;
    Sessions sessions_;
    std::map<LinkNumber, model::DeviceId> device_of_;
    std::deque<Action> actions_;
    std::size_t asked_count_ = 0;
    std::deque<model::DeviceId> waiting_;
    std::vector<model::DeviceId> proved_;
};

}  // namespace sotto::cloud::link
