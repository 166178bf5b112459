// SPDX-License-Identifier: Apache-2.0
// The operations of the virtual air: GATT without a radio, over any byte stream
// (docs/protocol/air.md, "The virtual air"). No allocation; parsed operations point into the
// caller's or the decoder's bytes.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/framing/frame.hpp"
#include "core/framing/limits.hpp"

namespace sotto::framing {

// Whose GATT service a device has: its values are our segments, or the packets of bluz.
enum class Service : std::uint8_t { Sotto, Bluz };

// The first operation of every connection, from the device.
struct Advertisement {
    bool has_owner = false;
    bool is_busy = false;  // another central holds the link; the device closes now
    DeviceId device_id{};
    std::uint16_t value_size_max = kValueSizeDefault;  // at least kValueSizeDefault
    std::string_view name{};                           // UTF-8, no control characters
    Service service = Service::Sotto;
};
// Central to device: a value of 1 to kValueSizeMax bytes.
struct Write {
    Bytes value;
};
// Device to central: likewise.
struct Notify {
    Bytes value;
};
// Central to device: from now on notify, with values of up to this size, if the device can.
struct Subscribe {
    std::uint16_t value_size_max = kValueSizeDefault;
};

using AirOperation = std::variant<Advertisement, Write, Notify, Subscribe>;

// What both sides use after SUBSCRIBE: the smaller of what they take, within the limits.
std::size_t agreed_value_size(std::size_t ours, std::size_t theirs);

// An operation without COBS and CRC. Error::Truncated, Error::Malformed, Error::TooLarge,
// Error::Unsupported (unknown operation or version).
Result<AirOperation> parse_air_operation(Bytes bytes);

// The bytes for the wire, from COBS to the 0x00. Error::InvalidArgument for what the parser would
// not take, Error::NoSpace if `out` is too small; kAirBytesMax is always enough.
Result<Bytes> encode_air_operation(MutBytes out, const AirOperation& operation);

// Finds operations in a stream of bytes. Whatever is not one is dropped up to the next 0x00.
class AirDecoder {
  public:
    // Borrows room for one code; longer ones are dropped. kAirCodeSizeMax is always enough.
    explicit AirDecoder(MutBytes room) : code_(room) {}

    // Takes bytes from the front of `input` up to the end of the next good operation and returns
    // that, valid until the next call; nothing once all of the input is taken.
    std::optional<AirOperation> next(Bytes& input);

    // How many codes were dropped: damaged, unknown or too long.
    std::uint32_t dropped() const { return dropped_; }

  private:
    void append(Bytes bytes);
    std::optional<AirOperation> finish_code();

    MutBytes code_;
    std::size_t size_ = 0;
    bool overflowed_ = false;
    std::uint32_t dropped_ = 0;
};

}  // namespace sotto::framing
