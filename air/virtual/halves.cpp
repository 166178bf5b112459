// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/halves.hpp"

namespace sotto::air {

namespace {

using framing::AirOperation;

void append(std::vector<std::uint8_t>& out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Status append_operation(std::vector<std::uint8_t>& out, const AirOperation& operation) {
    std::array<std::uint8_t, framing::kAirBytesMax> buffer;
    SOTTO_TRY_ASSIGN(const Bytes bytes, framing::encode_air_operation(buffer, operation));
    append(out, bytes);
    return {};
}

// The values of a frame, each as a Write or a Notify.
template <class Operation>
Status append_values(std::vector<std::uint8_t>& out, framing::Segmenter& segmenter, Bytes frame) {
    SOTTO_TRY(segmenter.begin(frame));
    std::array<std::uint8_t, framing::kValueSizeMax> buffer;
    while (!segmenter.is_idle()) {
        const Bytes value = segmenter.next(buffer);
        const Status status = append_operation(out, Operation{value});
        SOTTO_ASSERT(status);
    }
    return {};
}

}  // namespace

std::optional<PeripheralHalf::Event> PeripheralHalf::next(Bytes& input) {
    while (const auto operation = decoder_.next(input)) {
        if (auto event = on_operation(*operation)) return event;
    }
    return std::nullopt;
}

std::optional<PeripheralHalf::Event> PeripheralHalf::on_operation(const AirOperation& operation) {
    if (const auto* subscribe = std::get_if<framing::Subscribe>(&operation)) {
        segmenter_.set_value_size(
            framing::agreed_value_size(value_size_max_, subscribe->value_size_max));
        if (subscribed_) return std::nullopt;  // [AIR-33]: a new size, not a new connection
        subscribed_ = true;
        return Subscribed{};
    }
    const auto* write = std::get_if<framing::Write>(&operation);
    if (write == nullptr || !subscribed_) return std::nullopt;  // [AIR-32], [AIR-34]
    if (service_ == framing::Service::Bluz) return ValueReceived{write->value};
    const auto frame = reassembler_.receive(write->value);
    if (!frame) return std::nullopt;
    return FrameReceived{*frame};
}

Status PeripheralHalf::append_advertisement(std::vector<std::uint8_t>& out,
                                            const framing::Advertisement& advertisement) {
    return append_operation(out, advertisement);
}

Status PeripheralHalf::append_frame(std::vector<std::uint8_t>& out, Bytes frame) {
    if (!subscribed_ || service_ != framing::Service::Sotto) return Error::WrongState;
    return append_values<framing::Notify>(out, segmenter_, frame);
}

Status PeripheralHalf::append_value(std::vector<std::uint8_t>& out, Bytes value) {
    if (!subscribed_ || service_ != framing::Service::Bluz) return Error::WrongState;
    return append_operation(out, framing::Notify{value});
}

std::optional<CentralHalf::Event> CentralHalf::next(Bytes& input) {
    while (const auto operation = decoder_.next(input)) {
        if (auto event = on_operation(*operation)) return event;
    }
    return std::nullopt;
}

std::optional<CentralHalf::Event> CentralHalf::on_operation(const AirOperation& operation) {
    if (const auto* advertisement = std::get_if<framing::Advertisement>(&operation)) {
        if (state_ != State::WaitAdvertisement) return std::nullopt;  // [AIR-31]
        state_ = State::Advertised;
        device_value_size_ = advertisement->value_size_max;
        service_ = advertisement->service;
        return Advertised{*advertisement};
    }
    const auto* notify = std::get_if<framing::Notify>(&operation);
    if (notify == nullptr || state_ != State::Subscribed) return std::nullopt;  // [AIR-34]
    if (service_ == framing::Service::Bluz) return ValueReceived{notify->value};
    const auto frame = reassembler_.receive(notify->value);
    if (!frame) return std::nullopt;
    return FrameReceived{*frame};
}

void CentralHalf::append_subscribe(std::vector<std::uint8_t>& out) {
    SOTTO_ASSERT(state_ == State::Advertised);
    state_ = State::Subscribed;
    segmenter_.set_value_size(framing::agreed_value_size(value_size_max_, device_value_size_));
    const auto size = static_cast<std::uint16_t>(
        framing::agreed_value_size(value_size_max_, framing::kValueSizeMax));
    const Status status = append_operation(out, framing::Subscribe{size});
    SOTTO_ASSERT(status);
}

Status CentralHalf::append_frame(std::vector<std::uint8_t>& out, Bytes frame) {
    if (state_ != State::Subscribed || service_ != framing::Service::Sotto)
        return Error::WrongState;
    return append_values<framing::Write>(out, segmenter_, frame);
}

Status CentralHalf::append_value(std::vector<std::uint8_t>& out, Bytes value) {
    if (state_ != State::Subscribed || service_ != framing::Service::Bluz) return Error::WrongState;
    return append_operation(out, framing::Write{value});
}

}  // namespace sotto::air
