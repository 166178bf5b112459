// SPDX-License-Identifier: Apache-2.0
// Texts that several protocols of the cloud have. Allocates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sotto::cloud::services {

// Base 64 (RFC 4648 §4); padded or not when it is read.
std::optional<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

// 2026-11-29T16:00:00.000Z
std::string to_iso(std::int64_t ms);

}  // namespace sotto::cloud::services
