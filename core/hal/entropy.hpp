// SPDX-License-Identifier: Apache-2.0
// Randomness, as core needs it.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::hal {

class Entropy {
  public:
    // Fills `out` with bytes fit for keys. Error::EntropyFailed: `out` must not be used.
    virtual Status fill(MutBytes out) = 0;

  protected:
    ~Entropy() = default;  // owned by main
};

}  // namespace sotto::hal
