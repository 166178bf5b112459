// SPDX-License-Identifier: Apache-2.0
// Which pace the links of which devices shall have. Allocates.
#pragma once

#include <map>
#include <optional>
#include <string_view>

#include "air/central.hpp"

namespace sotto::gateway {

class Paces {
  public:
    // Takes [ID=]MIN[-MAX][/LATENCY]: of one device, or of all others. False if it is none.
    bool add(std::string_view text);
    // Nothing: as the system has it.
    std::optional<air::Pace> of(const framing::DeviceId& device) const;

  private:
    std::map<framing::DeviceId, air::Pace> own_;
    std::optional<air::Pace> others_;
};

}  // namespace sotto::gateway
