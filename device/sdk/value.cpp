// SPDX-License-Identifier: Apache-2.0
#include "device/sdk/value.hpp"

#include <limits>

#include "core/base/writer.hpp"
#include "core/cbor/float.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::device {
namespace {

using session::Content;
using session::Format;

void write_decimal(Writer& out, std::int32_t number) {
    std::array<std::uint8_t, kNumberTextSizeMax> digits;
    std::size_t first = digits.size();
    std::uint32_t rest = static_cast<std::uint32_t>(number);
    if (number < 0) rest = 0U - rest;
    do {
        digits[--first] = static_cast<std::uint8_t>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (number < 0) digits[--first] = '-';
    out.bytes(Bytes{digits}.subspan(first));
}

std::string_view text_of(bool value) { return value ? "true" : "false"; }

void encode_text(const Value& value, session::Excerpt& out) {
    if (const auto* text = std::get_if<std::string_view>(&value)) out.text(*text);
    if (const auto* truth = std::get_if<bool>(&value)) out.text(text_of(*truth));
    if (const auto* number = std::get_if<std::int32_t>(&value)) {
        std::array<std::uint8_t, kNumberTextSizeMax> decimal;
        Writer writer{decimal};
        write_decimal(writer, *number);
        out.bytes(writer.written());
    }
}

void encode_cbor(const Value& value, session::Excerpt& out) {
    std::array<std::uint8_t, 9> head;  // the largest that there is
    cbor::Writer writer{head};
    Bytes text;
    if (const auto* found = std::get_if<std::string_view>(&value)) {
        text = as_bytes(*found);
        writer.head(cbor::Kind::Text, text.size());
    }
    if (const auto* truth = std::get_if<bool>(&value)) writer.boolean(*truth);
    if (const auto* number = std::get_if<std::int32_t>(&value)) writer.integer(*number);
    out.bytes_behind(writer.written(), text);
}

Result<std::string_view> decode_cbor(Bytes payload, MutBytesN<kNumberTextSizeMax> scratch) {
    cbor::Reader in{payload, cbor::Rules::WellFormed};
    std::string_view text;
    if (in.next_is(cbor::Kind::Text)) {
        text = in.text();
    } else if (in.next_is(cbor::Kind::Unsigned) || in.next_is(cbor::Kind::Negative)) {
        const std::int64_t number = in.integer();
        in.require(number <= std::numeric_limits<std::int32_t>::max() &&
                       number >= std::numeric_limits<std::int32_t>::min(),
                   Error::Unsupported);
        Writer writer{scratch};
        write_decimal(writer, static_cast<std::int32_t>(number));
        text = as_text(writer.written());
    } else {
        const cbor::Head head = in.head();
        const bool is_truth = head.info == cbor::kSimpleTrue || head.info == cbor::kSimpleFalse;
        in.require(head.kind == cbor::Kind::Simple && (is_truth || head.info == cbor::kSimpleNull),
                   Error::Unsupported);
        if (is_truth) text = text_of(head.info == cbor::kSimpleTrue);
    }
    SOTTO_TRY(in.finish());
    return text;
}

}  // namespace

Status encode(const Value& value, Format format, session::Excerpt& out) {
    if (format == Format::Text) {
        encode_text(value, out);
    } else if (format == Format::Cbor) {
        encode_cbor(value, out);
    } else {
        return Error::Unsupported;
    }
    return {};
}

Result<std::string_view> decode_argument(const Content& argument,
                                         MutBytesN<kNumberTextSizeMax> scratch) {
    if (argument.format == Format::Text) return as_text(argument.payload);
    if (argument.format == Format::Cbor) return decode_cbor(argument.payload, scratch);
    return Error::Unsupported;
}

}  // namespace sotto::device
