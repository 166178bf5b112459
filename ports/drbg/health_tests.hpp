// SPDX-License-Identifier: Apache-2.0
// The continuous health tests of a noise source (NIST SP 800-90B, 4.4), for samples of one byte
// that are worth at least one bit of entropy each. A sound source fails them once in 2^30 samples.
#pragma once

#include <cstdint>

namespace sotto::ports {

class HealthTests {
  public:
    // So many times the same sample in a row fail (4.4.1): 1 + 30 / 1 bit.
    static constexpr std::uint32_t kRepetitionCutoff = 31;
    // Of a window, so many that are the same as its first fail (4.4.2).
    static constexpr std::uint32_t kWindow = 512;
    static constexpr std::uint32_t kProportionCutoff = 325;

    // Takes a sample. False: the source is not sound, now and for ever.
    bool take(std::uint8_t sample);
    bool has_failed() const { return has_failed_; }

  private:
    std::uint32_t position_ = 0;  // in the window
    std::uint32_t count_ = 0;     // of the window's first sample
    std::uint32_t run_ = 0;
    std::uint8_t first_ = 0;
    std::uint8_t last_ = 0;
    bool has_failed_ = false;
};

}  // namespace sotto::ports
