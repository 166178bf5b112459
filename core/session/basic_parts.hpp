// SPDX-License-Identifier: Apache-2.0
// The parts that every device should have: its description, and what was executed last. No
// allocation.
#pragma once

#include "core/session/part.hpp"

namespace sotto::session {

// /.well-known/core: the list of functions, variables and events.
class DescriptionPart final : public Part {
  public:
    DescriptionPart() : Part(kPlace) {}
    coap::Code handle(Server& server, Exchange& exchange) override;

  private:
    static constexpr Place kPlace{.path = "/.well-known/core", .takes_blocks = true};
};

// /last [SES-45].
class LastPart final : public Part {
  public:
    LastPart() : Part(kPlace) {}
    coap::Code handle(Server& server, Exchange& exchange) override;

  private:
    static constexpr Place kPlace{.path = "/last"};
};

}  // namespace sotto::session
