// SPDX-License-Identifier: Apache-2.0
#include "device/firmware/air_port.hpp"

namespace sotto::firmware {
namespace {

constexpr std::string_view kName = "Sotto lamp";

}  // namespace

void AirPort::poll(Instant now) {
    now_ = now;
    setup_.radio.poll(*this);
    if (revision_ != setup_.server.revision()) {
        revision_ = setup_.server.revision();
        advertise();
        attach();
    }
    while (const auto outgoing = setup_.server.poll(now_, message()))
        send_message(outgoing->channel, outgoing->message);
}

void AirPort::on_connected() {
    reassembler_.reset();
    segmenter_ = framing::Segmenter{setup_.radio.value_size()};
    is_connected_ = true;
    attach();
}

void AirPort::on_value(Bytes value) {
    const auto bytes = reassembler_.receive(value);
    const Bytes whole_or_front = bytes ? *bytes : reassembler_.too_long();
    const auto frame = framing::parse_frame(whole_or_front);  // [AIR-13] what is none is dropped
    const auto* request = frame ? std::get_if<framing::Message>(&*frame) : nullptr;
    if (request == nullptr) return;
    const session::Channel channel{.path = session::Channel::kAir, .label = request->label.value()};
    const Bytes answer = bytes ? setup_.server.receive(channel, request->message, now_, message())
                               : coap::refuse_too_large(request->message, message());  // [AIR-42]
    if (!answer.empty()) send_message(channel, answer);
}

void AirPort::advertise() {
    setup_.radio.advertise({.has_owner = setup_.server.authority().has_owner(),
                            .device_id = setup_.device_id,
                            .value_size_max = ports::Radio::kValueSizeMax,
                            .name = kName});
}

// [AIR-12]
void AirPort::attach() {
    const session::Authority& authority = setup_.server.authority();
    framing::Attach attach{.has_owner = authority.has_owner(), .device_id = setup_.device_id};
    if (const auto& cloud = authority.cloud(); cloud) {
        attach.address = as_text(cloud->address);
        attach.cloud_credential = cloud->credential_hash;
    }
    send(framing::encode_frame(setup_.frame, attach));
}

void AirPort::send_message(session::Channel channel, Bytes message) {
    send(framing::encode_frame(
        setup_.frame,
        framing::Message{.label = framing::Label{channel.label}, .message = message}));
}

void AirPort::send(const Result<Bytes>& frame) {
    if (!is_connected_ || !frame || !segmenter_.begin(*frame)) return;
    std::array<std::uint8_t, ports::Radio::kValueSizeMax> value;
    while (!segmenter_.is_idle()) setup_.radio.notify(segmenter_.next(value));
}

}  // namespace sotto::firmware
