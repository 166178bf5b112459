// SPDX-License-Identifier: Apache-2.0
#include "ports/drbg/health_tests.hpp"

namespace sotto::ports {

bool HealthTests::take(std::uint8_t sample) {
    run_ = run_ > 0 && sample == last_ ? run_ + 1 : 1;
    last_ = sample;
    if (run_ >= kRepetitionCutoff) has_failed_ = true;
    if (position_ == 0) {
        first_ = sample;
        count_ = 0;
    }
    if (sample == first_) ++count_;
    if (count_ >= kProportionCutoff) has_failed_ = true;
    position_ = (position_ + 1) % kWindow;
    return !has_failed_;
}

}  // namespace sotto::ports
