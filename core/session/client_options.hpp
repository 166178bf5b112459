// SPDX-License-Identifier: Apache-2.0
// What options of an answer say, for the sources of the client. No allocation.
#pragma once

#include "core/base/time.hpp"
#include "core/coap/message.hpp"
#include "core/session/resources.hpp"

namespace sotto::session {

inline Duration max_age_of(const coap::Options& options) {
    constexpr Duration kDefault = seconds(60);  // RFC 7252 §5.10.5
    const auto value = options.find_uint(coap::kMaxAge);
    return value ? seconds(*value) : kDefault;
}

inline Format format_of(const coap::Options& options) {
    return static_cast<Format>(options.find_uint(coap::kContentFormat).value_or(0));
}

}  // namespace sotto::session
