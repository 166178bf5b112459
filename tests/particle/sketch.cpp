// SPDX-License-Identifier: Apache-2.0
#include "tests/particle/sketch.hpp"

#include <iostream>
#include <utility>

namespace sotto::testing {

void tell(const std::string& line) { std::cout << line << std::endl; }

void Sketch::furnish(LegacyDevice& device) {
    const auto add = [&device](const std::string& name, auto function) {
        device.functions[name] = [name, function](const std::string& argument) {
            tell("call " + name + " " + argument);
            return function(argument);
        };
    };
    add("led", [](const std::string& argument) {
        return argument == "on" ? 1 : argument == "off" ? 0 : -1;
    });
    add("fail", [](const std::string&) { return -7; });
    add("shout", [this](const std::string& argument) {
        const std::size_t colon = argument.find(':');
        LegacyEvent event{.name = argument.substr(0, colon)};
        if (colon != std::string::npos) event.data = argument.substr(colon + 1);
        shouts_.push_back(std::move(event));
        return 0;
    });
    device.variables["temperature"] = {9, std::string("\0\0\0\0\0\x80\x35\x40", 8)};
    device.variables["count"] = {2, std::string("\0\0\0\x03", 4)};
    device.variables["words"] = {4, "hello"};
    device.variables["is_on"] = {1, "\x01"};
}

void Sketch::look_around(LegacyDevice& device) {
    if (!is_greeted_ && device.is_connected()) greet(device);
    if (!is_told_ && device.time()) tell("ready");
    is_told_ = device.time().has_value();
    if (device.signal() != signal_) tell(device.signal() == true ? "signal 1" : "signal 0");
    signal_ = device.signal();
    for (; event_count_ < device.events().size(); ++event_count_) {
        const LegacyEvent& event = device.events()[event_count_];
        tell("event " + event.name + " " + event.data);
        if (event.name == "to-device") device.publish({.name = "heard", .data = event.data});
    }
    for (const LegacyEvent& event : shouts_) device.publish(event);
    shouts_.clear();
}

void Sketch::greet(LegacyDevice& device) {
    is_greeted_ = true;
    if (!claim_code_.empty())
        device.publish({.name = "spark/device/claim/code", .data = claim_code_});
    device.subscribe("to-device", true);
}

}  // namespace sotto::testing
