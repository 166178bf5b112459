// SPDX-License-Identifier: Apache-2.0
#include "device/sketch/lamp.hpp"

namespace sotto::device {

Status Lamp::declare(Catalog& catalog) {
    SOTTO_TRY(catalog.function(kName, *this));
    SOTTO_TRY(catalog.variable(kName, state_));
    SOTTO_TRY(catalog.variable("switched", switch_count_));
    return catalog.event(kName);
}

Result<Value> Lamp::operator()(std::string_view argument) {
    world_.on_call(argument);
    if (argument == "toggle") {
        toggle();
    } else if (argument == "on") {
        set("on");
    } else if (argument == "off") {
        set("off");
    } else {
        return Error::InvalidArgument;
    }
    return Value{state_};
}

void Lamp::set(std::string_view state) {
    state_ = state;
    ++switch_count_;
    world_.on_switched(state_);
}

}  // namespace sotto::device
