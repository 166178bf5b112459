// SPDX-License-Identifier: Apache-2.0
// What a device says to whoever started it: lines on standard output. Allocates; blocks on output.
#pragma once

#include <string>
#include <string_view>

#include "core/base/bytes.hpp"

namespace sotto::device {

class Log {
  public:
    virtual ~Log() = default;
    virtual void line(const std::string& text) = 0;
};

// A text of a peer, for a terminal: in quotes, and what could act on the terminal in hex.
std::string quoted(std::string_view text);

}  // namespace sotto::device
