// SPDX-License-Identifier: Apache-2.0
#include "core/coap/code.hpp"

#include <gtest/gtest.h>

namespace sotto::coap {
namespace {

struct Mapping {
    Error error;
    Code code;
};

constexpr Mapping kMappings[] = {
    {Error::AlreadyExists, Code::Conflict},
    {Error::Busy, Code::ServiceUnavailable},
    {Error::EntropyFailed, Code::InternalServerError},
    {Error::Expired, Code::PreconditionFailed},
    {Error::InvalidArgument, Code::BadRequest},
    {Error::Malformed, Code::BadRequest},
    {Error::NoSpace, Code::InternalServerError},
    {Error::NotFound, Code::NotFound},
    {Error::RateLimited, Code::TooManyRequests},
    {Error::Refused, Code::Forbidden},
    {Error::StorageFailed, Code::InternalServerError},
    {Error::Superseded, Code::Conflict},
    {Error::Timeout, Code::ServiceUnavailable},
    {Error::TooLarge, Code::RequestEntityTooLarge},
    {Error::Truncated, Code::BadRequest},
    {Error::Unauthenticated, Code::Unauthorized},
    {Error::Unsupported, Code::UnsupportedContentFormat},
    {Error::WrongState, Code::Conflict},
};

TEST(Code, EveryErrorHasItsCode) {
    ASSERT_EQ(std::size(kMappings), kErrorCount);
    for (std::uint8_t i = 0; i < kErrorCount; ++i) {
        EXPECT_EQ(kMappings[i].error, static_cast<Error>(i + 1));
        EXPECT_EQ(to_coap_code(kMappings[i].error), kMappings[i].code)
            << to_string(kMappings[i].error);
        EXPECT_GE(code_class(kMappings[i].code), 4);
    }
}

TEST(Code, EveryByteIsOfOneKind) {
    for (int i = 0; i < 256; ++i) {
        const auto code = static_cast<Code>(i);
        const int kinds =
            (code == Code::Empty) + is_request(code) + is_response(code) + is_reserved(code);
        EXPECT_EQ(kinds, 1) << i;
        EXPECT_EQ(code_class(code) * 32 + code_detail(code), i);
    }
    EXPECT_TRUE(is_success(Code::Content));
    EXPECT_FALSE(is_success(Code::BadRequest));
    EXPECT_EQ(code_class(Code::ProxyingNotSupported), 5);
    EXPECT_EQ(code_detail(Code::ProxyingNotSupported), 5);
}

}  // namespace
}  // namespace sotto::coap
