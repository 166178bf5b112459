// SPDX-License-Identifier: Apache-2.0
// One-time passwords by the clock (RFC 6238): HMAC-SHA-1, 30 s, 6 digits, as every app for them
// has them. No state.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::server {

// The step that this is the password of: the present one, or the one before or after it, for clocks
// differ. Nothing: it is none. `now` counts from 1970.
std::optional<std::int64_t> check_one_time_password(Bytes secret,
                                                    std::string_view password,
                                                    Instant now);

}  // namespace sotto::cloud::server
