// SPDX-License-Identifier: Apache-2.0
// What a device offers behind the legacy Particle protocol. No allocation.
#pragma once

#include <span>
#include <string_view>
#include <variant>

#include "core/base/result.hpp"
#include "device/particle/limits.hpp"

namespace sotto::device::particle {

// A text must stay where it is until the call that asked for it is over.
using Value = std::variant<std::int32_t, bool, std::string_view>;

class Members {
  public:
    // At most kFunctionCountMax and kVariableCountMax of at most kMemberNameSizeMax letters,
    // digits, '-', '_' and '.' each. Below they are named by their places in these.
    virtual std::span<const std::string_view> functions() const = 0;
    virtual std::span<const std::string_view> variables() const = 0;

    // Runs a function, which may publish events.
    virtual Result<Value> call(std::size_t function, std::string_view argument) = 0;
    virtual Value read(std::size_t variable) const = 0;
    // Somebody wants to see which device it is.
    virtual void on_signal(bool is_on) = 0;

  protected:
    ~Members() = default;
};

// Results are numbers in this protocol: a number is itself, true is 1 and false 0, a text is the
// number that it says in decimal or else 0, and a call that failed gives -1.
std::int32_t number_of(const Result<Value>& result);

}  // namespace sotto::device::particle
