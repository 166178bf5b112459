// SPDX-License-Identifier: Apache-2.0
// A number with a meaning of its own, so that two of them cannot be swapped. No allocation.
#pragma once

#include <compare>

namespace sotto {

template <class T, class Tag>
class Strong {
  public:
    using value_type = T;

    constexpr Strong() = default;
    constexpr explicit Strong(T value) : value_(value) {}
    constexpr T value() const { return value_; }
    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

  private:
    T value_{};
};

}  // namespace sotto
