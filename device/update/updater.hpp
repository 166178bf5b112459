// SPDX-License-Identifier: Apache-2.0
// /u: the firmware's update through the sealed channel, for the owner alone
// (docs/protocol/session.md, SES-110 to SES-118). No allocation; blocks while it checks a signature
// and while the flash is written.
#pragma once

#include "core/session/part.hpp"
#include "device/update/intake.hpp"
#include "device/update/limits.hpp"

namespace sotto::update {

class Updater final : public session::Part {
  public:
    struct Setup {
        hal::Storage& storage;
        ports::Flash& target;  // the slot that is free
        boot::Journal& journal;
        boot::Slot running;
        std::uint32_t version = 0;  // that runs
        std::string_view hardware;
    };
    explicit Updater(const Setup& setup);

    // Finds what was begun before the boot; call it once, first.
    void start(session::Moment now);

    coap::Code handle(session::Server& server, session::Exchange& exchange) override;
    void hear(const session::Exchange& exchange) override;
    void poll(session::Server& server, session::Moment now) override;

    bool is_on_trial() const { return is_on_trial_; }
    // The chip is to be reset now.
    bool wants_restart() const { return wants_restart_; }

  private:
    static constexpr Place kPlace{.path = "/u", .role = session::Role::Owner};

    coap::Code change(session::Server& server, session::Exchange& exchange);
    coap::Code take_piece(session::Server& server, session::Exchange& exchange);
    coap::Code begin(session::Exchange& exchange, MutBytes result);
    coap::Code install(session::Exchange& exchange);
    coap::Code show(session::Exchange& exchange, MutBytes result) const;

    Setup setup_;
    Intake intake_;
    session::Moment started_;
    std::optional<session::Moment> restart_at_;
    bool is_on_trial_ = false;
    bool wants_restart_ = false;
};

}  // namespace sotto::update
