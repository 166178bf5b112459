// SPDX-License-Identifier: Apache-2.0
// /m/owner: a new phone of the owner takes the place of the one before [SES-27]. No allocation.
#pragma once

#include "core/session/part.hpp"

namespace sotto::session {

class OwnerPart final : public Part {
  public:
    OwnerPart() : Part(kPlace) {}
    coap::Code handle(Server& server, Exchange& exchange) override;

  private:
    static constexpr Place kPlace{.path = "/m/owner", .role = Role::Owner};
};

}  // namespace sotto::session
