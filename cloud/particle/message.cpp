// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/message.hpp"

#include <initializer_list>

#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

namespace {

constexpr std::uint8_t kPayloadMarker = 0xff;
constexpr std::uint32_t kUriPath = 11;
constexpr std::uint32_t kMaxAge = 14;
constexpr std::uint32_t kUriQuery = 15;
constexpr std::uint32_t kBlock1 = 27;
constexpr std::uint32_t kDefaultTtl = 60;  // seconds; is not sent

// RFC 7252 §3.1: 13 and 14 stand for one or two bytes that follow, 15 is reserved.
Result<std::uint32_t> read_extended(Reader& in, std::uint8_t nibble) {
    if (nibble < 13) return std::uint32_t{nibble};
    if (nibble == 15) return Error::Malformed;
    SOTTO_TRY_ASSIGN(const std::uint64_t more, in.uint_be(nibble - 12U));
    return static_cast<std::uint32_t>(more) + (nibble == 13 ? 13U : 269U);
}

Result<std::uint32_t> number_of(Bytes value) {
    if (value.size() > 4) return Error::Malformed;
    std::uint32_t number = 0;
    for (const std::uint8_t byte : value) number = number << 8 | byte;
    return number;
}

Status note_option(Message& message, std::uint32_t number, Bytes value) {
    if (number == kUriPath && message.path.try_push_back(value)) return {};
    if (number == kUriQuery && message.query.try_push_back(value)) return {};
    if (number == kMaxAge) {
        SOTTO_TRY_ASSIGN(message.max_age, number_of(value));
    }
    if (number == kBlock1) {
        SOTTO_TRY_ASSIGN(message.block1, number_of(value));
    }
    return {};
}

Status read_options(Message& message, Reader& in) {
    std::uint32_t number = 0;
    for (std::size_t count = 0; !in.empty() && in.rest()[0] != kPayloadMarker; ++count) {
        if (count == kOptionCountMax) return Error::TooLarge;
        SOTTO_TRY_ASSIGN(const std::uint8_t first, in.u8());
        SOTTO_TRY_ASSIGN(const std::uint32_t delta, read_extended(in, first >> 4));
        SOTTO_TRY_ASSIGN(const std::uint32_t size, read_extended(in, first & 15));
        number += delta;
        SOTTO_TRY_ASSIGN(const Bytes value, in.take(size));
        SOTTO_TRY(note_option(message, number, value));
    }
    return {};
}

std::array<std::uint8_t, 4> header_of(Type type,
                                      Code code,
                                      std::uint16_t id,
                                      std::size_t token_size) {
    return {static_cast<std::uint8_t>(0x40U | static_cast<unsigned>(type) << 4U | token_size),
            static_cast<std::uint8_t>(code),
            static_cast<std::uint8_t>(id >> 8U),
            static_cast<std::uint8_t>(id)};
}

class Builder {
  public:
    Builder(Type type, Code code, std::uint16_t id, Bytes token = {}) {
        append(header_of(type, code, id, token.size()));
        append(token);
    }
    // In the order of their numbers.
    Builder& option(std::uint32_t number, Bytes value) {
        bytes_.push_back(static_cast<std::uint8_t>((number - last_) << 4U | nibble(value.size())));
        last_ = number;
        if (value.size() >= 269) append_u16(value.size() - 269);
        if (value.size() >= 13 && value.size() < 269)
            bytes_.push_back(static_cast<std::uint8_t>(value.size() - 13));
        append(value);
        return *this;
    }
    Builder& path(std::string_view segment) { return option(kUriPath, as_bytes(segment)); }
    Builder& payload(Bytes payload) {
        bytes_.push_back(kPayloadMarker);
        append(payload);
        return *this;
    }
    Encoded take() { return std::move(bytes_); }

  private:
    static unsigned nibble(std::size_t size) {
        if (size < 13) return static_cast<unsigned>(size);
        return size < 269 ? 13 : 14;
    }
    void append(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
    void append_u16(std::size_t value) {
        bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
        bytes_.push_back(static_cast<std::uint8_t>(value));
    }

    Encoded bytes_;
    std::uint32_t last_ = 0;
};

// In several segments, as the old cloud did it; an empty one would be lost on some devices.
void add_name(Builder& builder, std::string_view name) {
    const bool has_empty =
        name.starts_with('/') || name.ends_with('/') || name.find("//") != std::string_view::npos;
    if (has_empty) {
        builder.path(name);
        return;
    }
    for (;;) {
        const std::size_t slash = name.find('/');
        builder.path(name.substr(0, slash));
        if (slash == std::string_view::npos) return;
        name.remove_prefix(slash + 1);
    }
}

}  // namespace

std::string Message::name() const {
    std::string name;
    for (std::size_t i = 1; i < path.size(); ++i) {
        if (i > 1) name += '/';
        name += as_text(path[i]);
    }
    return name;
}

Result<Message> parse_message(Bytes bytes) {
    Reader in{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t first, in.u8());
    if (first >> 6 != 1) return Error::Malformed;
    const std::size_t token_size = first & 15U;
    if (token_size > kTokenSizeMax) return Error::Malformed;
    Result<Message> message{std::in_place};
    message->type = static_cast<Type>(first >> 4 & 3);
    SOTTO_TRY_ASSIGN(const std::uint8_t code, in.u8());
    message->code = static_cast<Code>(code);
    SOTTO_TRY_ASSIGN(message->id, in.u16_be());
    SOTTO_TRY_ASSIGN(message->token, in.take(token_size));
    SOTTO_TRY(read_options(*message, in));
    if (!in.empty()) message->payload = in.rest().subspan(1);
    return message;
}

Encoded encode_hello(std::uint16_t id) {
    return Builder{Type::NonConfirmable, Code::Post, id}.path("h").take();
}

Encoded encode_ping(std::uint16_t id) { return Builder{Type::Confirmable, Code::Empty, id}.take(); }

std::array<std::uint8_t, 4> encode_ack(std::uint16_t id) {
    return header_of(Type::Acknowledgement, Code::Empty, id, 0);
}

Encoded encode_describe(std::uint16_t id, std::uint8_t token, bool is_for_part) {
    constexpr std::uint8_t kApplication = 2;  // since 0.6; before, devices do not look at it
    Builder builder{Type::Confirmable, Code::Get, id, {&token, 1}};
    builder.path("d");
    if (is_for_part) builder.option(kUriQuery, {&kApplication, 1});
    return builder.take();
}

Encoded encode_call(std::uint16_t id,
                    std::uint8_t token,
                    std::string_view name,
                    std::string_view argument) {
    return Builder{Type::Confirmable, Code::Post, id, {&token, 1}}
        .path("f")
        .path(name)
        .option(kUriQuery, as_bytes(argument))
        .take();
}

Encoded encode_read(std::uint16_t id, std::uint8_t token, std::string_view name) {
    return Builder{Type::Confirmable, Code::Get, id, {&token, 1}}.path("v").path(name).take();
}

Encoded encode_signal(std::uint16_t id, std::uint8_t token, bool is_on) {
    const std::uint8_t value = is_on ? 1 : 0;
    return Builder{Type::Confirmable, Code::Put, id, {&token, 1}}
        .path("s")
        .option(kUriQuery, {&value, 1})
        .take();
}

// To the firmware, at its beginning: the other places are of no device that is served here.
Encoded encode_update_begin(std::uint16_t id, std::uint8_t token, const UpdateBegin& begin) {
    const auto byte = [](std::uint32_t value, unsigned shift) {
        return static_cast<std::uint8_t>(value >> shift);
    };
    const std::uint8_t payload[12] = {begin.is_fast ? std::uint8_t{1} : std::uint8_t{0},
                                      byte(begin.chunk_size, 8),
                                      byte(begin.chunk_size, 0),
                                      byte(begin.size, 24),
                                      byte(begin.size, 16),
                                      byte(begin.size, 8),
                                      byte(begin.size, 0)};
    return Builder{Type::Confirmable, Code::Post, id, {&token, 1}}
        .path("u")
        .payload(payload)
        .take();
}

Encoded encode_chunk(std::uint16_t id, std::uint8_t token, const Chunk& chunk) {
    const std::uint8_t crc[4] = {static_cast<std::uint8_t>(chunk.crc >> 24U),
                                 static_cast<std::uint8_t>(chunk.crc >> 16U),
                                 static_cast<std::uint8_t>(chunk.crc >> 8U),
                                 static_cast<std::uint8_t>(chunk.crc)};
    Builder builder{Type::Confirmable, Code::Post, id, {&token, 1}};
    builder.path("c").option(kUriQuery, crc);
    if (chunk.index) {
        const std::uint8_t index[2] = {static_cast<std::uint8_t>(*chunk.index >> 8U),
                                       static_cast<std::uint8_t>(*chunk.index)};
        builder.option(kUriQuery, index);
    }
    return builder.payload(chunk.data).take();
}

Encoded encode_update_done(std::uint16_t id, std::uint8_t token) {
    return Builder{Type::Confirmable, Code::Put, id, {&token, 1}}.path("u").take();
}

Encoded encode_time(std::uint16_t id, Bytes token, std::uint32_t unix_seconds) {
    const std::uint8_t value[4] = {static_cast<std::uint8_t>(unix_seconds >> 24U),
                                   static_cast<std::uint8_t>(unix_seconds >> 16U),
                                   static_cast<std::uint8_t>(unix_seconds >> 8U),
                                   static_cast<std::uint8_t>(unix_seconds)};
    return Builder{Type::Acknowledgement, Code::Content, id, token}.payload(value).take();
}

Encoded encode_event(std::uint16_t id, const EventToDevice& event) {
    Builder builder{Type::NonConfirmable, Code::Post, id};
    builder.path(event.is_public ? "e" : "E");
    add_name(builder, event.name);
    if (event.ttl_s != kDefaultTtl) {
        const std::uint8_t ttl[3] = {static_cast<std::uint8_t>(event.ttl_s >> 16U),
                                     static_cast<std::uint8_t>(event.ttl_s >> 8U),
                                     static_cast<std::uint8_t>(event.ttl_s)};
        builder.option(kMaxAge, ttl);
    }
    if (!event.data.empty()) builder.payload(as_bytes(event.data));
    return builder.take();
}

}  // namespace sotto::cloud::particle
