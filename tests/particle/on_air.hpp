// SPDX-License-Identifier: Apache-2.0
// The device of the program as a bluz board on the virtual air, until it is killed.
#pragma once

#include <string>

#include "testing/particle/bluz_device.hpp"

namespace sotto::testing {

struct OnAir {
    std::string folder;
    std::string claim_code;
    BluzDevice::Setup setup;
};

// Repeats custom data after "echo ". Answers an exit code if it cannot be on that air.
int run_on_air(const OnAir& options);

}  // namespace sotto::testing
