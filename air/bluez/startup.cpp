// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/startup.hpp"

#include <algorithm>

namespace sotto::air::bluez {

std::optional<std::size_t> Startup::next(const AdapterView* adapter, Instant now) {
    if (adapter == nullptr) {
        serial_.reset();
        return std::nullopt;
    }
    if (serial_ != adapter->serial) begin(adapter->serial);
    if (is_calling_) return std::nullopt;
    if (!adapter->is_powered) {
        if (step_ != kPower) begin(adapter->serial);
    } else if (step_ == kPower) {
        step_ = kPower + 1;  // whoever switched it on
        call_at_ = now;
    }
    if (step_ == step_count_ || now < call_at_) return std::nullopt;
    is_calling_ = true;
    return step_;
}

void Startup::on_reply(std::uint64_t serial, bool is_ok, Instant now) {
    if (serial_ != serial || !is_calling_) return;
    is_calling_ = false;
    // That it has power shows in its properties.
    if (!is_ok || step_ == kPower) return wait(now);
    backoff_ = kCallBackoffMin;
    if (++step_ == step_count_) done_at_ = now;
}

void Startup::redo(std::size_t step, Instant now) {
    if (!serial_ || step_ <= step) return;
    step_ = step;
    wait(now);
}

void Startup::begin(std::uint64_t serial) {
    serial_ = serial;
    step_ = kPower;
    is_calling_ = false;
    call_at_ = {};
    backoff_ = kCallBackoffMin;
}

void Startup::wait(Instant now) {
    call_at_ = now + backoff_;
    backoff_ = std::min(kCallBackoffMax, Duration{backoff_.ms * 2});
}

}  // namespace sotto::air::bluez
