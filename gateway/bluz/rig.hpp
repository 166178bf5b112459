// SPDX-License-Identifier: Apache-2.0
// A bluz device's machine on a bench, for its tests: short words for stimuli and outputs.
#pragma once

#include <string>
#include <vector>

#include "core/base/hex.hpp"
#include "gateway/bluz/device.hpp"

namespace sotto::gateway::bluz {

using Buffer = std::vector<std::uint8_t>;

inline const Buffer kEndOfStream{0x03, 0x04};
inline const Buffer kShownId{0xb1, 0xe2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
// As firmware sends it: socket 0, code 1, family 2, type 1, protocol 6, port 5683, its address.
inline const Buffer kConnectFrame{0x01, 0x10, 0x00, 0x01, 0x02, 0x01, 0x06, 0x16, 0x33,
                                  0x02, 0x00, 0x16, 0x33, 0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0};

inline DeviceId shown_id() {
    DeviceId id{};
    std::copy(kShownId.begin(), kShownId.end(), id.begin());
    return id;
}

class Rig {
  public:
    explicit Rig(Device::Policy policy = {.has_server = true, .is_local_allowed = true})
        : device(std::move(policy), now) {
        drain();
    }

    // A frame of the device's, in values of 20 bytes.
    void says(const Buffer& frame) {
        for (std::size_t at = 0; at < frame.size(); at += 20)
            device.on_value(
                Bytes{frame}.subspan(at).first(std::min<std::size_t>(20, frame.size() - at)), now);
        device.on_value(kEndOfStream, now);
        drain();
    }
    void says_id(const Buffer& id = kShownId) { says(with({0x02}, id)); }
    void says_data(const Buffer& data) { says(with({0x01, 0x00}, data)); }
    void connect() { says(kConnectFrame); }
    void open() {
        says_id();
        connect();
        stream_up();
        done.clear();
    }
    void stream_up() {
        device.on_stream_up(now);
        drain();
    }
    void stream_down(std::uint16_t jitter = 0) {
        device.on_stream_down(now, Jitter{jitter});
        drain();
    }
    void server_says(const Buffer& bytes) {
        device.on_stream_bytes(bytes, now);
        drain();
    }
    void written() {
        device.on_stream_written();
        drain();
    }
    void pass(Duration duration) {
        now = now + duration;
        device.on_time(now);
        drain();
    }
    // The air sends what it was given, until nothing comes any more.
    void air_sends() {
        while (in_air > 0) {
            device.on_values_sent(std::exchange(in_air, 0), now);
            drain();
        }
    }

    static Buffer with(Buffer front, const Buffer& back) {
        front.insert(front.end(), back.begin(), back.end());
        return front;
    }
    std::size_t count(const std::string& what) const {
        return static_cast<std::size_t>(std::count(done.begin(), done.end(), what));
    }
    bool has(const std::string& what) const { return count(what) > 0; }

    Instant now{1'000'000};
    Device device;
    std::vector<std::string> done;  // but for values
    std::vector<Buffer> frames;     // to the device, whole ones
    std::vector<Buffer> values;
    Buffer to_server;
    std::optional<CloseLink> closed;
    std::size_t in_air = 0;

  private:
    void drain() {
        while (const auto output = device.next_output())
            std::visit([this](const auto& item) { note(item); }, *output);
    }
    void note(const SendValue& item) {
        ++in_air;
        values.emplace_back(item.value().begin(), item.value().end());
        const auto frame = assembler_.receive(item.value());
        if (frame && *frame) frames.emplace_back((*frame)->begin(), (*frame)->end());
    }
    void note(const OpenStream&) { done.emplace_back("open"); }
    void note(const CloseStream&) { done.emplace_back("close stream"); }
    void note(const WriteStream& item) {
        done.emplace_back("write");
        to_server.insert(to_server.end(), item.bytes.begin(), item.bytes.end());
    }
    void note(const LocalData& item) {
        done.push_back("local " + std::string{as_text(item.bytes)});
    }
    void note(const CloseLink& item) {
        done.emplace_back("close link");
        closed = item;
    }
    void note(const Introduced& item) { done.push_back("id " + to_hex<std::string>(item.id)); }
    void note(const LocalRefused&) { done.emplace_back("local refused"); }

    Assembler assembler_;
};

}  // namespace sotto::gateway::bluz
