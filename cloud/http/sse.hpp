// SPDX-License-Identifier: Apache-2.0
// An event as a stream sends it (WHATWG HTML §9.2.6): ASCII only, for clients decode chunk by
// chunk, and whole, so that one write sends it. Allocates.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cloud/services/open_device.hpp"

namespace sotto::cloud::http {

std::string render_event(const services::Event& event);

// Sent with the headers, and when nothing else was for a while.
inline constexpr std::string_view kStreamGreeting = ":ok\n\n";
inline constexpr std::string_view kStreamHeartbeat = ":\n\n";

// What a client that comes back knows. Nothing if it is no id of ours.
std::optional<std::uint64_t> parse_event_id(std::string_view text);

}  // namespace sotto::cloud::http
