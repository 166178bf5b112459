// SPDX-License-Identifier: Apache-2.0
#include "testing/particle/bluz_device.hpp"

#include <algorithm>
#include <utility>

namespace sotto::testing {

namespace {

constexpr std::size_t kValueMax = 20;
constexpr std::size_t kReceiveBuffer = 1'024;
constexpr std::size_t kDataMax = 512;  // custom data and the stream, in one frame
constexpr std::uint8_t kSocketService = 1;
constexpr std::uint8_t kInfoService = 2;
constexpr std::uint8_t kCustomService = 4;
const std::vector<std::uint8_t> kEnd{0x03, 0x04};

// Code 1, family 2, type 1, protocol 6, port 5683; then its address: family (the other way round),
// port, no IPv4 address, zeros.
constexpr std::uint8_t kWish[] = {0x00, 0x01, 0x02, 0x01, 0x06, 0x16, 0x33, 0x02,
                                  0x00, 0x16, 0x33, 0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0};
static_assert(sizeof kWish == 23);

}  // namespace

BluzDevice::BluzDevice(Setup setup, std::function<void(LegacyDevice&)> furnish)
    : setup_(std::move(setup)), furnish_(std::move(furnish)) {}

void BluzDevice::on_subscribed(Instant now) {
    is_subscribed_ = true;
    trouble_.clear();
    if (!setup_.is_local_only) connect_at_ = now + setup_.wait;
}

void BluzDevice::on_link_lost() {
    is_subscribed_ = false;
    connect_at_.reset();
    listen_at_.reset();
    session_.reset();
    values_.clear();
}

void BluzDevice::hang_up(const std::string& why) {
    if (trouble_.empty()) trouble_ = why;
}

void BluzDevice::on_value(Bytes value) {
    if (value.size() > kValueMax)
        return hang_up("a value of " + std::to_string(value.size()) + " bytes");
    if (!equal(value, kEnd)) {
        if (frame_.size() + value.size() > kReceiveBuffer)
            return hang_up("its frame buffer was overrun");
        frame_.insert(frame_.end(), value.begin(), value.end());
        return;
    }
    const auto frame = std::exchange(frame_, {});
    if (frame.empty()) return hang_up("an end of stream without a frame");
    on_frame(frame);
}

void BluzDevice::on_frame(Bytes frame) {
    switch (frame[0]) {
        case kSocketService:
            if (frame.size() < 2 || frame[1] != 0) return hang_up("a socket beyond its table");
            if (session_) session_->receive(frame.subspan(2));
            return;
        case kInfoService:
            if (frame.size() > 1 && frame[1] == 0x00) send_frame({kInfoService}, setup_.legacy.id);
            if (frame.size() > 1 && frame[1] == 0x02) hang_up("its EEPROM was wiped");
            return;
        case kCustomService:
            return on_custom(frame.subspan(1));
        default:
            return;
    }
}

bool BluzDevice::step(Instant now) {
    if (!is_subscribed_ || !trouble_.empty()) return false;
    if (connect_at_ && now >= *connect_at_) {
        connect_at_.reset();
        listen_at_ = now + setup_.wait;
        session_.emplace(setup_.legacy);
        furnish_(*session_);
        send_frame({setup_.sends_wrong_connect ? std::uint8_t{0x00} : kSocketService, 0x10}, kWish);
        return true;
    }
    if (!session_ || !listen_at_ || now < *listen_at_) return false;
    const bool is_busy = session_->step();
    send_output();
    if (!session_->trouble().empty()) hang_up(session_->trouble());
    return is_busy;
}

void BluzDevice::send_output() {
    const auto output = session_->take_output();
    for (std::size_t at = 0; at < output.size(); at += kDataMax - 2)
        send_frame({kSocketService, 0x00},
                   Bytes{output}.subspan(at).first(std::min(kDataMax - 2, output.size() - at)));
}

void BluzDevice::send_custom(Bytes data) {
    send_frame({kCustomService}, data.first(std::min(kDataMax, data.size())));
}

// Every twenty bytes a cut, wherever that falls.
void BluzDevice::send_frame(const std::vector<std::uint8_t>& header, Bytes payload) {
    std::vector<std::uint8_t> frame = header;
    if (setup_.sends_header_alone) values_.push_back(std::exchange(frame, {}));
    frame.insert(frame.end(), payload.begin(), payload.end());
    for (std::size_t at = 0; at < frame.size(); at += kValueMax) {
        const auto begin = frame.begin() + static_cast<std::ptrdiff_t>(at);
        values_.emplace_back(
            begin, begin + static_cast<std::ptrdiff_t>(std::min(kValueMax, frame.size() - at)));
    }
    values_.push_back(kEnd);
}

std::optional<std::vector<std::uint8_t>> BluzDevice::take_value() {
    if (values_.empty()) return std::nullopt;
    auto value = std::move(values_.front());
    values_.pop_front();
    return value;
}

}  // namespace sotto::testing
