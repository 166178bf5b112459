// SPDX-License-Identifier: Apache-2.0
// Text in quotation marks. Allocates.
#pragma once

#include <string>
#include <string_view>

namespace sotto::ports {

// As a string of JSON (RFC 8259 §7), which is a basic string of TOML too. What is not ASCII goes
// as it is.
std::string quote(std::string_view text);

}  // namespace sotto::ports
