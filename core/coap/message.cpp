// SPDX-License-Identifier: Apache-2.0
#include "core/coap/message.hpp"

namespace sotto::coap {
namespace {

constexpr std::uint8_t kVersion = 1;

void write_header(Writer& out, const Header& header) {
    SOTTO_ASSERT(header.token.size() <= kTokenSizeMax);
    out.u8(static_cast<std::uint8_t>(kVersion << 6 | static_cast<std::uint8_t>(header.type) << 4 |
                                     header.token.size()));
    out.u8(static_cast<std::uint8_t>(header.code)).u16_be(header.id).bytes(header.token);
}

}  // namespace

Options::Iterator::Iterator(Bytes encoded) : reader_(encoded) { ++*this; }

Options::Iterator& Options::Iterator::operator++() {
    is_at_end_ = !reader_.next(current_);
    return *this;
}

namespace {

// Walks to the end of the options, and leaves what follows them in the reader.
Status check(OptionReader& reader) {
    Option option;
    while (reader.next(option)) {
    }
    return reader.status();
}

}  // namespace

Result<Options> Options::parse(Bytes encoded) {
    OptionReader reader{encoded};
    SOTTO_TRY(check(reader));
    if (!reader.rest().empty()) return Error::Malformed;
    return Options{encoded};
}

bool Options::find(OptionNumber number, Bytes& value, std::size_t n) const {
    OptionReader reader{encoded_};
    Option option;
    while (reader.next(option)) {
        if (option.number != number || n-- > 0) continue;
        value = option.value;
        return true;
    }
    return false;
}

std::optional<Bytes> Options::find(OptionNumber number, std::size_t n) const {
    Bytes value;
    if (!find(number, value, n)) return std::nullopt;
    return value;
}

bool Options::find_uint(OptionNumber number, std::uint32_t& value) const {
    Bytes encoded;
    if (!find(number, encoded)) return false;
    if (encoded.size() > kUintSizeMax) return false;
    value = decode_uint(encoded);
    return true;
}

std::optional<std::uint32_t> Options::find_uint(OptionNumber number) const {
    std::uint32_t value = 0;
    if (!find_uint(number, value)) return std::nullopt;
    return value;
}

std::optional<std::string_view> Options::find_text(OptionNumber number, std::size_t n) const {
    const auto value = find(number, n);
    if (!value) return std::nullopt;
    return as_text(*value);
}

std::size_t Options::count(OptionNumber number) const {
    OptionReader reader{encoded_};
    Option option;
    std::size_t count = 0;
    while (reader.next(option)) count += option.number == number ? 1 : 0;
    return count;
}

bool Options::path_is(std::string_view path) const {
    if (!path.starts_with('/')) return false;
    if (path.size() == 1) path = {};
    OptionReader reader{encoded_};
    Option option;
    while (reader.next(option)) {
        if (option.number != kUriPath) continue;
        if (path.empty() || as_text(option.value) != take_segment(path)) return false;
    }
    return path.empty();
}

std::optional<OptionNumber> Options::find_bad_critical(
    std::span<const OptionNumber> understood) const {
    OptionReader reader{encoded_};
    Option option;
    OptionNumber previous{};
    while (reader.next(option)) {
        const OptionNumber number = option.number;
        const bool is_repeated = previous == number;
        previous = number;
        if (!is_critical(number)) continue;
        bool is_understood = false;
        for (const OptionNumber each : understood) is_understood |= each == number;
        if (!is_understood || !is_in_form(option, is_repeated)) return number;
    }
    return std::nullopt;
}

Status Contents::parse(Bytes bytes, Contents& contents) {
    OptionReader reader{bytes};
    SOTTO_TRY(check(reader));
    const Bytes rest = reader.rest();
    // RFC 7252 §3: "The presence of a marker followed by a zero-length payload MUST be processed as
    // a message format error."
    if (rest.size() == 1) return Error::Malformed;
    contents.options = Options{bytes.first(bytes.size() - rest.size())};
    contents.payload = rest.empty() ? rest : rest.subspan(1);
    return {};
}

namespace {

Status parse_header(Bytes bytes, Header& header) {
    if (bytes.size() < kHeaderSize) return Error::Truncated;
    const std::size_t token_size = bytes[0] & 0x0f;
    if (bytes[0] >> 6 != kVersion || token_size > kTokenSizeMax) return Error::Malformed;
    if (bytes.size() < kHeaderSize + token_size) return Error::Truncated;
    header.type = static_cast<Type>(bytes[0] >> 4 & 3);
    header.code = static_cast<Code>(bytes[1]);
    header.id = static_cast<std::uint16_t>(bytes[2] << 8 | bytes[3]);
    header.token = bytes.subspan(kHeaderSize, token_size);
    return {};
}

// RFC 7252 §4.3, Table 1.
bool may_carry(Type type, Code code) {
    if (type == Type::Acknowledgement && is_request(code)) return false;
    if (type == Type::Reset && code != Code::Empty) return false;
    if (type == Type::NonConfirmable && code == Code::Empty) return false;
    return !is_reserved(code);
}

}  // namespace

Status parse_message(Bytes bytes, Message& message) {
    Header& header = message.header;
    SOTTO_TRY(parse_header(bytes, header));
    if (!may_carry(header.type, header.code)) return Error::Malformed;
    // RFC 7252 §4.1: in an Empty message "Bytes of data MUST NOT be present after the Message ID
    // field."
    if (header.code == Code::Empty && bytes.size() != kHeaderSize) return Error::Malformed;
    return Contents::parse(bytes.subspan(kHeaderSize + header.token.size()), message);
}

Result<Message> parse_message(Bytes bytes) {
    Message message;
    SOTTO_TRY(parse_message(bytes, message));
    return message;
}

std::optional<EmptyMessage> rejection_of(Bytes message) {
    // RFC 7252 §3: "Messages with unknown version numbers MUST be silently ignored."
    constexpr int kConfirmable = kVersion << 2 | static_cast<int>(Type::Confirmable);
    if (message.size() < kHeaderSize || message[0] >> 4 != kConfirmable) return std::nullopt;
    return empty_message(Type::Reset, static_cast<std::uint16_t>(message[2] << 8 | message[3]));
}

Bytes refuse_too_large(Bytes front, MutBytes out) {
    Header header;
    if (!parse_header(front, header)) return {};
    if (header.type != Type::Confirmable || !is_request(header.code)) return {};
    header.type = Type::Acknowledgement;
    header.code = Code::RequestEntityTooLarge;
    return MessageWriter{out, header}.finish().value_or(Bytes{});
}

Status parse_body(Bytes bytes, Body& body) {
    if (bytes.empty()) return Error::Truncated;
    body.code = static_cast<Code>(bytes[0]);
    return Contents::parse(bytes.subspan(1), body);
}

Result<Body> parse_body(Bytes bytes) {
    Body body;
    SOTTO_TRY(parse_body(bytes, body));
    return body;
}

MessageWriter::MessageWriter(MutBytes out, const Header& header) : out_(out) {
    write_header(out_, header);
}

MessageWriter::MessageWriter(MutBytes out, Code code) : out_(out) {
    out_.u8(static_cast<std::uint8_t>(code));
}

MessageWriter& MessageWriter::payload(Bytes payload) {
    if (!payload.empty()) out_.u8(kPayloadMarker).bytes(payload);
    return *this;
}

MutBytes MessageWriter::reserve_payload(std::size_t size) {
    out_.u8(kPayloadMarker);
    return out_.reserve(size);
}

EmptyMessage empty_message(Type type, std::uint16_t id) {
    EmptyMessage bytes;
    Writer out{bytes};
    write_header(out, {.type = type, .code = Code::Empty, .id = id, .token = {}});
    return bytes;
}

}  // namespace sotto::coap
