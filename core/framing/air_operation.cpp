// SPDX-License-Identifier: Apache-2.0
#include "core/framing/air_operation.hpp"

#include <algorithm>
#include <utility>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"
#include "core/framing/cobs.hpp"
#include "core/framing/crc16.hpp"
#include "core/framing/text.hpp"

namespace sotto::framing {

namespace {

enum class Op : std::uint8_t {
    Advertisement = 0x01,
    Write = 0x02,
    Notify = 0x03,
    Subscribe = 0x04
};

constexpr std::uint8_t kAdvertisementVersion = 1;
constexpr std::uint8_t kFlagHasOwner = 0x01;
constexpr std::uint8_t kFlagBusy = 0x02;
constexpr std::uint8_t kFlagBluz = 0x04;  // [AIR-50]
constexpr std::size_t kCrcSize = 2;

Result<std::uint16_t> take_value_size(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t size, reader.u16_be());
    if (size < kValueSizeDefault) return Error::Malformed;
    return size;
}

Result<Bytes> take_value(Reader& reader) {
    const Bytes value = reader.take_rest();
    if (value.empty()) return Error::Truncated;
    if (value.size() > kValueSizeMax) return Error::TooLarge;
    return value;
}

Result<AirOperation> parse_advertisement(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint8_t version, reader.u8());
    if (version != kAdvertisementVersion) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const std::uint8_t flags, reader.u8());
    if ((flags & ~(kFlagHasOwner | kFlagBusy | kFlagBluz)) != 0) return Error::Malformed;
    Advertisement advertisement{.has_owner = (flags & kFlagHasOwner) != 0,
                                .is_busy = (flags & kFlagBusy) != 0};
    if ((flags & kFlagBluz) != 0) advertisement.service = Service::Bluz;
    SOTTO_TRY_ASSIGN(const Bytes device_id, reader.take(kDeviceIdSize));
    std::copy(device_id.begin(), device_id.end(), advertisement.device_id.begin());
    SOTTO_TRY_ASSIGN(advertisement.value_size_max, take_value_size(reader));
    advertisement.name = as_text(reader.take_rest());
    if (advertisement.name.size() > kNameSizeMax) return Error::TooLarge;
    if (!is_printable_utf8(advertisement.name)) return Error::Malformed;
    return advertisement;
}

Result<AirOperation> parse_subscribe(Reader& reader) {
    SOTTO_TRY_ASSIGN(const std::uint16_t size, take_value_size(reader));
    SOTTO_TRY(reader.finish());
    return Subscribe{.value_size_max = size};
}

Writer& operation(Writer& writer, Op op) { return writer.u8(static_cast<std::uint8_t>(op)); }

Status write_value(Writer& writer, Op op, Bytes value) {
    if (value.empty() || value.size() > kValueSizeMax) return Error::InvalidArgument;
    operation(writer, op).bytes(value);
    return {};
}

Status write_advertisement(Writer& writer, const Advertisement& advertisement) {
    if (advertisement.value_size_max < kValueSizeDefault) return Error::InvalidArgument;
    if (advertisement.name.size() > kNameSizeMax) return Error::InvalidArgument;
    if (!is_printable_utf8(advertisement.name)) return Error::InvalidArgument;
    const int flags = (advertisement.has_owner ? kFlagHasOwner : 0) |
                      (advertisement.is_busy ? kFlagBusy : 0) |
                      (advertisement.service == Service::Bluz ? kFlagBluz : 0);
    operation(writer, Op::Advertisement).u8(kAdvertisementVersion);
    writer.u8(static_cast<std::uint8_t>(flags)).bytes(advertisement.device_id);
    writer.u16_be(advertisement.value_size_max).text(advertisement.name);
    return {};
}

Status write_subscribe(Writer& writer, const Subscribe& subscribe) {
    if (subscribe.value_size_max < kValueSizeDefault) return Error::InvalidArgument;
    operation(writer, Op::Subscribe).u16_be(subscribe.value_size_max);
    return {};
}

Status write_operation(Writer& writer, const AirOperation& operation) {
    if (const auto* item = std::get_if<Advertisement>(&operation))
        return write_advertisement(writer, *item);
    if (const auto* item = std::get_if<Write>(&operation))
        return write_value(writer, Op::Write, item->value);
    if (const auto* item = std::get_if<Notify>(&operation))
        return write_value(writer, Op::Notify, item->value);
    if (const auto* item = std::get_if<Subscribe>(&operation))
        return write_subscribe(writer, *item);
    return {};
}

}  // namespace

std::size_t agreed_value_size(std::size_t ours, std::size_t theirs) {
    return std::clamp(std::min(ours, theirs), kValueSizeDefault, kValueSizeMax);
}

Result<AirOperation> parse_air_operation(Bytes bytes) {
    Reader reader{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t op, reader.u8());
    switch (static_cast<Op>(op)) {
        case Op::Advertisement:
            return parse_advertisement(reader);
        case Op::Write: {
            SOTTO_TRY_ASSIGN(const Bytes value, take_value(reader));
            return Write{value};
        }
        case Op::Notify: {
            SOTTO_TRY_ASSIGN(const Bytes value, take_value(reader));
            return Notify{value};
        }
        case Op::Subscribe:
            return parse_subscribe(reader);
    }
    return Error::Unsupported;
}

Result<Bytes> encode_air_operation(MutBytes out, const AirOperation& operation) {
    std::array<std::uint8_t, kAirOperationSizeMax> plain;
    Writer writer{plain};
    SOTTO_TRY(write_operation(writer, operation));
    writer.u16_be(crc16(writer.written()));
    SOTTO_TRY_ASSIGN(const Bytes checked, writer.finish());
    SOTTO_TRY_ASSIGN(const Bytes code, cobs_encode(out, checked));
    if (code.size() == out.size()) return Error::NoSpace;
    out[code.size()] = 0;
    return Bytes{out.first(code.size() + 1)};
}

std::optional<AirOperation> AirDecoder::next(Bytes& input) {
    while (!input.empty()) {
        const auto zero = std::find(input.begin(), input.end(), std::uint8_t{0});
        const bool ends = zero != input.end();
        const auto size = static_cast<std::size_t>(zero - input.begin());
        append(input.first(size));
        input = input.subspan(size + (ends ? 1 : 0));
        if (!ends) break;
        if (auto operation = finish_code()) return operation;
    }
    return std::nullopt;
}

void AirDecoder::append(Bytes bytes) {
    if (bytes.size() > code_.size() - size_) {
        overflowed_ = true;
        return;
    }
    std::copy(bytes.begin(), bytes.end(), code_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
}

std::optional<AirOperation> AirDecoder::finish_code() {
    const std::size_t size = std::exchange(size_, 0);
    const bool overflowed = std::exchange(overflowed_, false);
    if (size == 0 && !overflowed) return std::nullopt;  // 0x00 after 0x00: an idle line
    ++dropped_;
    if (overflowed) return std::nullopt;
    const auto bytes = cobs_decode(code_, code_.first(size));
    if (!bytes || bytes->size() <= kCrcSize) return std::nullopt;
    Reader crc{bytes->last(kCrcSize)};
    const Bytes plain = bytes->first(bytes->size() - kCrcSize);
    if (*crc.u16_be() != crc16(plain)) return std::nullopt;
    auto operation = parse_air_operation(plain);
    if (!operation) return std::nullopt;
    --dropped_;
    return *operation;
}

}  // namespace sotto::framing
