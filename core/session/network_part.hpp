// SPDX-License-Identifier: Apache-2.0
// /n and /a: which cloud a device belongs to, and how that cloud takes it in [SES-60] to [SES-63].
// No allocation; borrows the trial that both are about.
#pragma once

#include "core/session/part.hpp"

namespace sotto::session {

class NetworkPart final : public Part {
  public:
    explicit NetworkPart(CloudTrial& trial) : Part(kPlace), trial_(trial) {}
    coap::Code handle(Server& server, Exchange& exchange) override;
    // The trial of a cloud has an end.
    void poll(Server& server, Moment now) override;

  private:
    static constexpr Place kPlace{.path = "/n", .role = Role::Owner};

    coap::Code put(Server& server, Exchange& exchange);

    CloudTrial& trial_;
};

class AttachPart final : public Part {
  public:
    explicit AttachPart(CloudTrial& trial) : Part(kPlace), trial_(trial) {}
    coap::Code handle(Server& server, Exchange& exchange) override;

  private:
    static constexpr Place kPlace{.path = "/a", .role = Role::Cloud};

    CloudTrial& trial_;
};

}  // namespace sotto::session
