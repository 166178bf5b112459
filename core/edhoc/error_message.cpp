// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/error_message.hpp"

namespace sotto::edhoc {
namespace {

std::string_view diagnostic(Error why) {
    if (why == Error::Unsupported) return "not supported";
    const bool is_form =
        why == Error::Malformed || why == Error::TooLarge || why == Error::Truncated;
    // The reasons behind authentication are not the peer's business.
    return is_form ? "bad message" : "failed";
}

void read_info(cbor::Reader& in, ErrorMessage& error) {
    switch (error.code) {
        case static_cast<std::int64_t>(ErrorCode::Unspecified):
            error.text = in.text();
            return;
        case static_cast<std::int64_t>(ErrorCode::WrongSuite):
            error.suites_r = read_suites(in);
            return;
        case static_cast<std::int64_t>(ErrorCode::UnknownCredential):
            in.require(in.boolean());
            return;
        default:
            in.skip();
    }
}

}  // namespace

bool is_error_message(Bytes message) {
    const cbor::Reader in{message};
    return in.next_is(cbor::Kind::Unsigned) || in.next_is(cbor::Kind::Negative);
}

Result<ErrorMessage> parse_error_message(Bytes message) {
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    cbor::Reader in{message};
    ErrorMessage error;
    error.code = in.integer();
    // RFC 9528 §6.1: "Error code 0 MUST NOT be used as part of the EDHOC message exchange."
    in.require(error.code != 0);
    read_info(in, error);
    SOTTO_TRY(in.finish());
    return error;
}

Result<Bytes> encode_error_message(Error why, MutBytes out) {
    cbor::Writer writer{out};
    if (why == Error::NotFound) {
        writer.integer(static_cast<std::uint8_t>(ErrorCode::UnknownCredential)).boolean(true);
    } else {
        writer.integer(static_cast<std::uint8_t>(ErrorCode::Unspecified)).text(diagnostic(why));
    }
    return writer.finish();
}

Result<Bytes> encode_wrong_suite(std::span<const SuiteLabel> suites_r, MutBytes out) {
    cbor::Writer writer{out};
    writer.integer(static_cast<std::uint8_t>(ErrorCode::WrongSuite));
    write_suites(writer, suites_r);
    return writer.finish();
}

}  // namespace sotto::edhoc
