// SPDX-License-Identifier: Apache-2.0
// CoAP codes (RFC 7252 §12.1; RFC 7959, 8132, 8516, 8768). No allocation.
#pragma once

#include "core/base/error.hpp"

namespace sotto::coap {

// Class in the upper three bits, detail in the lower five. Any byte is a value of this type.
enum class Code : std::uint8_t {
    Empty = 0x00,
    Get = 0x01,
    Post = 0x02,
    Put = 0x03,
    Delete = 0x04,
    Fetch = 0x05,
    Patch = 0x06,
    IPatch = 0x07,
    Created = 0x41,
    Deleted = 0x42,
    Valid = 0x43,
    Changed = 0x44,
    Content = 0x45,
    Continue = 0x5f,
    BadRequest = 0x80,
    Unauthorized = 0x81,
    BadOption = 0x82,
    Forbidden = 0x83,
    NotFound = 0x84,
    MethodNotAllowed = 0x85,
    NotAcceptable = 0x86,
    RequestEntityIncomplete = 0x88,
    Conflict = 0x89,
    PreconditionFailed = 0x8c,
    RequestEntityTooLarge = 0x8d,
    UnsupportedContentFormat = 0x8f,
    UnprocessableEntity = 0x96,
    TooManyRequests = 0x9d,
    InternalServerError = 0xa0,
    NotImplemented = 0xa1,
    BadGateway = 0xa2,
    ServiceUnavailable = 0xa3,
    GatewayTimeout = 0xa4,
    ProxyingNotSupported = 0xa5,
    HopLimitReached = 0xa8,
};

constexpr std::uint8_t code_class(Code code) { return static_cast<std::uint8_t>(code) >> 5; }
constexpr std::uint8_t code_detail(Code code) { return static_cast<std::uint8_t>(code) & 0x1f; }
constexpr bool is_request(Code code) { return code_class(code) == 0 && code != Code::Empty; }
constexpr bool is_response(Code code) { return code_class(code) >= 2 && code_class(code) <= 5; }
constexpr bool is_success(Code code) { return code_class(code) == 2; }

// RFC 7252 §12.1: classes 1, 6 and 7 are reserved.
constexpr bool is_reserved(Code code) { return code_class(code) == 1 || code_class(code) >= 6; }

// The response code that tells a peer of an error: the one place where errors meet this wire.
Code to_coap_code(Error error);

}  // namespace sotto::coap
