// SPDX-License-Identifier: Apache-2.0
// The chip's random number generator, as it is: its bias is not corrected, so that the health tests
// see what it does.
#pragma once

#include "ports/drbg/drbg.hpp"

namespace sotto::ports {

class ChipNoise final : public NoiseSource {
  public:
    void wake() override;
    void rest() override;
    Result<std::uint8_t> sample() override;
};

}  // namespace sotto::ports
