// SPDX-License-Identifier: Apache-2.0
// What of the sketch is there for bluz: what was opened by name, and nothing else. Allocates.
#pragma once

#include <string>
#include <vector>

#include "device/particle/members.hpp"
#include "device/virtual/device.hpp"

namespace sotto::device {

class OpenMembers final : public particle::Members {
  public:
    OpenMembers(Device& device, Log& log) : device_(device), log_(log) {}

    // Opens what the sketch has of this name: a NAME, or f/NAME, v/NAME, e/NAME for the function,
    // the variable or the event alone.
    Outcome<> open(std::string_view text);
    // All that is open, in words.
    std::string list() const;
    bool has_event(std::string_view name) const;

    std::span<const std::string_view> functions() const override { return functions_.names; }
    std::span<const std::string_view> variables() const override { return variables_.names; }
    Result<particle::Value> call(std::size_t function, std::string_view argument) override;
    particle::Value read(std::size_t variable) const override;
    void on_signal(bool is_on) override;

  private:
    struct Kind {
        std::vector<std::string_view> names;  // in the arguments of the program
        std::vector<std::uint8_t> indexes;    // in the catalog
    };
    Kind& kind_of(session::ResourceKind kind);
    bool add(session::ResourceKind kind, std::string_view name);

    Device& device_;
    Log& log_;
    Kind functions_;
    Kind variables_;
    Kind events_;
};

}  // namespace sotto::device
