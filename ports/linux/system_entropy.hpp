// SPDX-License-Identifier: Apache-2.0
// The kernel's random numbers, by getrandom(2). No allocation; waits only while a machine that has
// just booted has too little entropy.
#pragma once

#include "core/hal/entropy.hpp"

namespace sotto::ports {

class SystemEntropy final : public hal::Entropy {
  public:
    Status fill(MutBytes out) override;
};

}  // namespace sotto::ports
