// SPDX-License-Identifier: Apache-2.0
// EDHOC error messages (RFC 9528 §6). They are not protected: whoever gets one has a hint, never a
// reason to delete anything. No allocation; views into bytes of the caller.
#pragma once

#include <string_view>

#include "core/edhoc/suite.hpp"

namespace sotto::edhoc {

enum class ErrorCode : std::uint8_t {
    Unspecified = 1,
    WrongSuite = 2,
    UnknownCredential = 3,
};

struct ErrorMessage {
    std::int64_t code = 0;  // an ErrorCode, or one that we don't know
    std::string_view text;  // of ErrorCode::Unspecified
    SuiteList suites_r;     // of ErrorCode::WrongSuite
};

// Whether a message begins as an error message does and no other message can.
bool is_error_message(Bytes message);

// Error::Malformed (code 0 too), Truncated, TooLarge.
Result<ErrorMessage> parse_error_message(Bytes message);

// The error message that tells the peer why we stop: the one place where our errors meet the wire.
// Error::NotFound is a credential that we don't have; all else is unspecified. Error::NoSpace.
Result<Bytes> encode_error_message(Error why, MutBytes out);
// The error message for a suite that we don't take. Precondition: !suites_r.empty().
Result<Bytes> encode_wrong_suite(std::span<const SuiteLabel> suites_r, MutBytes out);

}  // namespace sotto::edhoc
