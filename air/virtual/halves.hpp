// SPDX-License-Identifier: Apache-2.0
// The two ends of one connection of the virtual air, without a socket: bytes in, events out; frames
// in, bytes out (docs/protocol/air.md, "The virtual air"). Either end takes any bytes. Owns its
// buffers; allocates only in the caller's vectors.
#pragma once

#include <array>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/framing/air_operation.hpp"
#include "core/framing/segment.hpp"

namespace sotto::air {

// A whole frame, valid until the next call.
struct FrameReceived {
    Bytes frame;
};
// A value of the bluz service, likewise. It is not looked at.
struct ValueReceived {
    Bytes value;
};

class PeripheralHalf {
  public:
    explicit PeripheralHalf(std::size_t value_size_max,
                            framing::Service service = framing::Service::Sotto)
        : value_size_max_(value_size_max), service_(service) {}
    PeripheralHalf(const PeripheralHalf&) = delete;  // its parts point into each other
    PeripheralHalf& operator=(const PeripheralHalf&) = delete;

    struct Subscribed {};  // once
    using Event = std::variant<Subscribed, FrameReceived, ValueReceived>;

    // Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    std::optional<Event> next(Bytes& input);

    // Appends the bytes of the advertisement, which open every connection.
    static Status append_advertisement(std::vector<std::uint8_t>& out,
                                       const framing::Advertisement& advertisement);
    // Appends the bytes of a frame. Error::WrongState before Subscribed and for the bluz service;
    // else as Segmenter::begin().
    Status append_frame(std::vector<std::uint8_t>& out, Bytes frame);
    // The same for a value of the bluz service. Error::InvalidArgument without bytes or over the
    // largest value.
    Status append_value(std::vector<std::uint8_t>& out, Bytes value);

    bool is_subscribed() const { return subscribed_; }

  private:
    std::optional<Event> on_operation(const framing::AirOperation& operation);

    std::size_t value_size_max_;
    framing::Service service_;
    bool subscribed_ = false;
    std::array<std::uint8_t, framing::kAirCodeSizeMax> code_{};
    framing::AirDecoder decoder_{code_};
    framing::Segmenter segmenter_;
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer_{};
    framing::Reassembler reassembler_{buffer_};
};

class CentralHalf {
  public:
    explicit CentralHalf(std::size_t value_size_max) : value_size_max_(value_size_max) {}
    CentralHalf(const CentralHalf&) = delete;  // its parts point into each other
    CentralHalf& operator=(const CentralHalf&) = delete;

    struct Advertised {
        framing::Advertisement advertisement;  // its name is valid until the next call
    };
    using Event = std::variant<Advertised, FrameReceived, ValueReceived>;

    // Takes bytes from the front of `input` up to the next event; nothing when all are taken.
    // Frames come only after append_subscribe().
    std::optional<Event> next(Bytes& input);

    // Appends the bytes of SUBSCRIBE. Precondition: Advertised was seen.
    void append_subscribe(std::vector<std::uint8_t>& out);
    // Appends the bytes of a frame. Error::WrongState before append_subscribe() and for the bluz
    // service; else as Segmenter::begin().
    Status append_frame(std::vector<std::uint8_t>& out, Bytes frame);
    // As PeripheralHalf::append_value().
    Status append_value(std::vector<std::uint8_t>& out, Bytes value);

  private:
    std::optional<Event> on_operation(const framing::AirOperation& operation);

    enum class State : std::uint8_t { WaitAdvertisement, Advertised, Subscribed };

    std::size_t value_size_max_;
    State state_ = State::WaitAdvertisement;
    framing::Service service_ = framing::Service::Sotto;
    std::size_t device_value_size_ = framing::kValueSizeDefault;
    std::array<std::uint8_t, framing::kAirCodeSizeMax> code_{};
    framing::AirDecoder decoder_{code_};
    framing::Segmenter segmenter_;
    std::array<std::uint8_t, framing::kFrameSizeMax> buffer_{};
    framing::Reassembler reassembler_{buffer_};
};

}  // namespace sotto::air
