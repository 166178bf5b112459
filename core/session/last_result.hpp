// SPDX-License-Identifier: Apache-2.0
// What a device tells of the last request that a session executed (docs/protocol/session.md,
// SES-45). No allocation.
#pragma once

#include <optional>

#include "core/base/bytes.hpp"
#include "core/coap/code.hpp"
#include "core/oscore/context.hpp"

namespace sotto::session {

// {}: nothing was executed. {1: Partial IV}: that was begun, its result is not known.
// {1, 2: code}: that was its code, its payload is not known. {1, 2, 3: payload}: all of it.
struct LastResult {
    std::optional<oscore::Piv> piv;
    std::optional<coap::Code> code;
    std::optional<Bytes> payload;
};

// Views into `bytes`. Error::Malformed, Truncated.
Result<LastResult> parse_last_result(Bytes bytes);

}  // namespace sotto::session
