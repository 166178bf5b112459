// SPDX-License-Identifier: Apache-2.0
// The cloud's own sessions with devices, between router and store: what happened on a link goes to
// cloud/link, and what that wants is done. The one place where keys and routing meet.
#pragma once

#include <functional>
#include <memory>

#include "cloud/link/attachments.hpp"
#include "cloud/services/router.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::server {

class Sessions {
  public:
    struct Setup {
        store::Store& store;
        services::Router& router;
        link::Attachments::Setup keys;
        std::function<Instant()> now;
    };
    // What it refers to must live as long as this.
    explicit Sessions(Setup setup) : setup_(std::move(setup)), attachments_(setup_.keys) {}
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;

    void on_event(const services::DeviceEvent& event);
    // To be called at least once in each second.
    void on_time();

  private:
    void perform_all();
    void perform(const link::Load& load);
    void perform(const link::Save& save);
    void perform(const link::Send& send);
    void perform(const link::Proved& proved);
    void perform(const link::NotProved& not_proved);

    Setup setup_;
    link::Attachments attachments_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::cloud::server
