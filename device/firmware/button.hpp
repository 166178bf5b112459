// SPDX-License-Identifier: Apache-2.0
// A button that bounces: pressed, or held for long. Pure.
#pragma once

#include <optional>

#include "core/base/time.hpp"

namespace sotto::firmware {

class Button {
  public:
    enum class Event : std::uint8_t { None, Pressed, Held };

    static constexpr Duration kBounce = milliseconds(30);
    static constexpr Duration kHold = seconds(10);

    // What the pin says now. Pressed comes with the release, so that a hold is no press.
    Event sample(bool is_down, Instant now);
    bool is_down() const { return since_.has_value(); }

  private:
    std::optional<Instant> since_;  // when it went down
    bool was_held_ = false;
};

}  // namespace sotto::firmware
