// SPDX-License-Identifier: Apache-2.0
// /t: what a device believes of the time, and the commands that may come late [SES-90] to
// [SES-95]. No allocation.
#pragma once

#include "core/session/part.hpp"
#include "core/session/wall_clock.hpp"

namespace sotto::session {

// Named twice: as a resource, and as the device's deferral.
class TimePart final : public Part, public Deferral {
  public:
    TimePart() : Part(kPlace) {}
    coap::Code handle(Server& server, Exchange& exchange) override;
    void hear(const Exchange& exchange) override;
    const WallClock& clock() const { return clock_; }
    coap::Code admit(Server& server, Exchange& exchange, std::uint32_t not_after) override;

  private:
    static constexpr Place kPlace{.path = "/t"};

    WallClock clock_;
};

}  // namespace sotto::session
