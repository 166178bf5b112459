// SPDX-License-Identifier: Apache-2.0
// The cloud as a guest of a sealed device (docs/protocol/session.md, SES-39): with the access token
// that the owner has given it calls, reads and watches what that names, and nothing else. Jobs wait
// here for their turn, in the order of their coming.
//
// Sans-I/O: messages and the time come in, and what is to be sent is pulled with next_message()
// after each call, until there is none. The session lives in memory alone, as it does on the
// device. Allocates; bounded.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cloud/link/limits.hpp"
#include "cloud/link/link_context.hpp"
#include "core/session/client.hpp"

namespace sotto::cloud::link {

class GuestSession {
  public:
    struct Setup {
        edhoc::Identity identity;  // the cloud's as a guest
        hal::Entropy& entropy;
        model::CredentialHash device{};
        Bytes token;  // copied
        // An event came that is watched. Views are valid during the call.
        std::function<void(std::string_view event, const session::Content& content)> on_event{};
        // How a try to watch ended: nobody asked for it in particular.
        std::function<void(const session::Event& end)> on_watch_end{};
    };
    // How a job ended: by what the device said, or why there is no answer of it. Views are valid
    // during the call, in which further jobs may be submitted.
    using Done = std::function<void(const session::Event& end)>;

    // `setup.identity` and `entropy` must live as long as this. Error::StorageFailed, NoSpace.
    static Result<std::unique_ptr<GuestSession>> begin(const Setup& setup, Instant now);

    // Whatever happens to it, `done` is called once, at the latest by interrupt(), unless this is
    // destroyed first. False if there are kGuestJobsMax jobs: then it is not.
    [[nodiscard]] bool call(std::string function, std::string argument, Instant now, Done done);
    [[nodiscard]] bool read(std::string variable, Instant now, Done done);
    // A read that every guest may do: whether the session stands.
    [[nodiscard]] bool ask_time(Instant now, Done done);
    // From now on, also after the device was silent or started anew, where it has such an event.
    void watch(std::string event, Instant now);

    void on_message(Bytes message, Instant now);
    // To be called at wake_at(), or at any other time.
    void on_time(Instant now);
    std::optional<Bytes> next_message(Instant now) { return client_.next_message(now); }
    std::optional<Instant> wake_at() const;
    // The way to the device is cut: all jobs end. The session stays.
    void interrupt(Instant now);
    // The way stands again.
    void resume(Instant now);

  private:
    struct Job {
        coap::Code code = coap::Code::Get;
        std::string_view resource;
        std::string name;
        std::string argument{};
        bool is_watch = false;
        Instant until{};
        Done done{};
        std::vector<std::uint8_t> room{};
    };

    explicit GuestSession(const Setup& setup);
    bool submit(Job job, Instant now);
    void run(std::optional<session::Event> event, Instant now);
    bool start_next(Instant now);
    void on(const session::Event& event, Instant now);
    void end(const session::Event& event);

    std::function<void(std::string_view, const session::Content&)> on_event_;
    std::function<void(const session::Event&)> on_watch_end_;
    LinkContext context_;
    session::Client client_;
    std::deque<Job> waiting_;
    std::optional<Job> current_;
    std::optional<session::ObservationId> pending_;  // of a watch that is under way
    std::map<session::ObservationId, std::string> watched_;
    std::map<std::string, Instant> to_watch_;  // and from when on
    bool is_running_ = false;
};

}  // namespace sotto::cloud::link
