// SPDX-License-Identifier: Apache-2.0
#include "device/firmware/button.hpp"

namespace sotto::firmware {

Button::Event Button::sample(bool is_down, Instant now) {
    if (is_down && !since_) {
        since_ = now;
        was_held_ = false;
    }
    if (!since_) return Event::None;
    const Duration length = now - *since_;
    if (is_down) {
        if (was_held_ || length < kHold) return Event::None;
        was_held_ = true;
        return Event::Held;
    }
    since_.reset();
    return was_held_ || length < kBounce ? Event::None : Event::Pressed;
}

}  // namespace sotto::firmware
