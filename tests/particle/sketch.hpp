// SPDX-License-Identifier: Apache-2.0
// What the device of the program does (main.cpp says what), however it is connected.
#pragma once

#include <string>

#include "testing/particle/legacy_device.hpp"

namespace sotto::testing {

// A line on standard output, at once.
void tell(const std::string& line);

// One session, from its Hello to its end.
class Sketch {
  public:
    explicit Sketch(std::string claim_code) : claim_code_(std::move(claim_code)) {}

    // Adds functions and variables. The sketch must live as long as the device.
    void furnish(LegacyDevice& device);
    // Tells what has changed since it looked last, and publishes what is to be.
    void look_around(LegacyDevice& device);

  private:
    void greet(LegacyDevice& device);

    std::string claim_code_;
    std::vector<LegacyEvent> shouts_;  // once the answer of the function is on its way
    bool is_greeted_ = false;
    bool is_told_ = false;
    std::size_t event_count_ = 0;
    std::optional<bool> signal_;
};

}  // namespace sotto::testing
