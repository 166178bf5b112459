// SPDX-License-Identifier: Apache-2.0
#include "core/framing/frame.hpp"

#include <algorithm>

#include "core/framing/text.hpp"

namespace sotto::framing {

namespace {

enum class Type : std::uint8_t { Message = 0x00, Attach = 0x01, Release = 0x02 };

constexpr std::uint8_t kAttachVersion = 1;
constexpr std::uint8_t kFlagHasOwner = 0x01;

template <std::size_t N>
Result<std::array<std::uint8_t, N>> take_array(Reader& reader) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, reader.take(N));
    std::array<std::uint8_t, N> array{};
    std::copy(bytes.begin(), bytes.end(), array.begin());
    return array;
}

Result<std::string_view> take_address(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t size, reader.u8());
    SOTTO_TRY_ASSIGN(const Bytes bytes, reader.take(size));
    const std::string_view address = as_text(bytes);
    if (!is_visible_ascii(address)) return Error::Malformed;
    return address;
}

Result<Frame> parse_message(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t label, reader.u16_be());
    const Bytes message = reader.take_rest();
    if (message.empty()) return Error::Truncated;
    if (message.size() > kMessageSizeMax) return Error::TooLarge;
    return Message{.label = Label{label}, .message = message};
}

Result<Frame> parse_release(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t seconds, reader.u16_be());
    SOTTO_TRY(reader.finish());
    return Release{.seconds = seconds};
}

}  // namespace

Result<Attach> parse_attach(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t version, reader.u8());
    if (version != kAttachVersion) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const std::uint8_t flags, reader.u8());
    if ((flags & ~kFlagHasOwner) != 0) return Error::Malformed;
    Attach attach{.has_owner = flags == kFlagHasOwner};
    SOTTO_TRY_ASSIGN(attach.device_id, take_array<kDeviceIdSize>(reader));
    SOTTO_TRY_ASSIGN(attach.address, take_address(reader));
    if (!attach.address.empty()) {
        SOTTO_TRY_ASSIGN(attach.cloud_credential, take_array<kCredentialHashSize>(reader));
    }
    SOTTO_TRY(reader.finish());
    return attach;
}

Status write_attach(Writer& writer, const Attach& attach) {
    if (attach.address.size() > kAddressSizeMax) return Error::InvalidArgument;
    if (!is_visible_ascii(attach.address)) return Error::InvalidArgument;
    writer.u8(kAttachVersion).u8(attach.has_owner ? kFlagHasOwner : 0).bytes(attach.device_id);
    writer.u8(static_cast<std::uint8_t>(attach.address.size())).text(attach.address);
    if (!attach.address.empty()) writer.bytes(attach.cloud_credential);
    return {};
}

Result<Frame> parse_frame(Bytes bytes) {
    Reader reader{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t type, reader.u8());
    switch (static_cast<Type>(type)) {
        case Type::Message:
            return parse_message(reader);
        case Type::Attach: {
            SOTTO_TRY_ASSIGN(const Attach attach, parse_attach(reader));
            return attach;
        }
        case Type::Release:
            return parse_release(reader);
    }
    return Error::Unsupported;
}

Result<Bytes> encode_frame(MutBytes out, const Frame& frame) {
    Writer writer{out};
    if (const auto* message = std::get_if<Message>(&frame)) {
        if (message->message.empty() || message->message.size() > kMessageSizeMax)
            return Error::InvalidArgument;
        writer.u8(static_cast<std::uint8_t>(Type::Message)).u16_be(message->label.value());
        writer.bytes(message->message);
    } else if (const auto* attach = std::get_if<Attach>(&frame)) {
        writer.u8(static_cast<std::uint8_t>(Type::Attach));
        SOTTO_TRY(write_attach(writer, *attach));
    } else if (const auto* release = std::get_if<Release>(&frame)) {
        writer.u8(static_cast<std::uint8_t>(Type::Release)).u16_be(release->seconds);
    }
    return writer.finish();
}

}  // namespace sotto::framing
