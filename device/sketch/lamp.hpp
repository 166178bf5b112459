// SPDX-License-Identifier: Apache-2.0
// The sketch that every device of this repository runs: a lamp. No allocation, so that the chip
// runs the same.
#pragma once

#include "device/sdk/catalog.hpp"

namespace sotto::device {

class Lamp {
  public:
    // What a lamp acts upon.
    class World {
      public:
        // The function is about to run.
        virtual void on_call(std::string_view argument) = 0;
        // The lamp has changed: show it, and tell everybody who watches the event "lamp".
        virtual void on_switched(std::string_view state) = 0;

      protected:
        ~World() = default;  // owned by main
    };
    static constexpr std::string_view kName = "lamp";  // of function, variable and event

    explicit Lamp(World& world) : world_(world) {}

    // Errors as Catalog::function().
    Status declare(Catalog& catalog);

    // "on", "off" or "toggle"; what it is then.
    Result<Value> operator()(std::string_view argument);

    void toggle() { set(is_on() ? "off" : "on"); }
    bool is_on() const { return state_ == "on"; }

  private:
    void set(std::string_view state);

    World& world_;
    std::string_view state_ = "off";
    std::int32_t switch_count_ = 0;
};

}  // namespace sotto::device
