// SPDX-License-Identifier: Apache-2.0
#include "bench/channel_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdio>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace sotto::bench {
namespace {

namespace channel = framing::channel;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error{what}; }

void write_all(int socket, const std::uint8_t* data, std::size_t size) {
    while (size > 0) {
        const ssize_t written = ::send(socket, data, size, MSG_NOSIGNAL);
        if (written <= 0) fail("the cloud has closed a connection");
        data += written;
        size -= static_cast<std::size_t>(written);
    }
}

}  // namespace

int connect_to(const std::string& address) {
    const std::string port = address.substr(address.rfind(':') + 1);
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
        fail("no connection to port " + port);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return socket;
}

ChannelClient::ChannelClient(const std::string& address,
                             const std::string& token,
                             unsigned app_number)
    : socket_(connect_to(address)) {
    std::array<char, 33> app{};
    std::snprintf(app.data(), app.size(), "%032x", app_number);
    const std::string request = "GET /sotto/v1/channel?app=" + std::string{app.data()} +
                                " HTTP/1.1\r\nHost: cloud\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                                "Authorization: Bearer " +
                                token + "\r\n\r\n";
    write_all(socket_, reinterpret_cast<const std::uint8_t*>(request.data()), request.size());
    std::string head;
    for (char c = 0; !head.ends_with("\r\n\r\n"); head += c) {
        if (::recv(socket_, &c, 1, 0) != 1) fail("the cloud opens no channel");
    }
    if (!head.starts_with("HTTP/1.1 101")) fail("the cloud opens no channel: " + head);
}

ChannelClient::~ChannelClient() { ::close(socket_); }

// RFC 6455 §5.2: a whole binary message, masked with zeros.
void ChannelClient::send(const channel::Record& record) {
    std::array<std::uint8_t, framing::kChannelRecordSizeMax> buffer{};
    const auto bytes = channel::encode_record(buffer, record);
    if (!bytes) fail("no such record");
    output_.push_back(0x82);
    if (bytes->size() < 126) {
        output_.push_back(static_cast<std::uint8_t>(0x80 | bytes->size()));
    } else {
        output_.push_back(0x80 | 126);
        output_.push_back(static_cast<std::uint8_t>(bytes->size() >> 8));
        output_.push_back(static_cast<std::uint8_t>(bytes->size()));
    }
    output_.insert(output_.end(), 4, 0);
    output_.insert(output_.end(), bytes->begin(), bytes->end());
}

void ChannelClient::flush() {
    write_all(socket_, output_.data(), output_.size());
    output_.clear();
}

void ChannelClient::fill(bool wait) {
    input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
    std::array<std::uint8_t, 65'536> buffer;  // NOLINT: written before read
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), wait ? 0 : MSG_DONTWAIT);
    if (size > 0) input_.insert(input_.end(), buffer.data(), buffer.data() + size);
    if (size == 0) fail("the cloud has closed a channel");
}

std::optional<channel::Record> ChannelClient::next() {
    while (input_.size() - taken_ >= 2) {
        const std::uint8_t* frame = input_.data() + taken_;
        const std::size_t rest = input_.size() - taken_;
        std::size_t head = 2;
        std::size_t size = frame[1] & 0x7f;
        if (size == 126) {
            if (rest < 4) return std::nullopt;
            head = 4;
            size = static_cast<std::size_t>(frame[2]) << 8 | frame[3];
        }
        if (rest < head + size) return std::nullopt;
        taken_ += head + size;
        if ((frame[0] & 0x0f) == 0x9) {  // a ping: its bytes come back
            output_.insert(output_.end(), {0x8a, static_cast<std::uint8_t>(0x80 | size)});
            output_.insert(output_.end(), 4, 0);
            output_.insert(output_.end(), frame + head, frame + head + size);
            flush();
            continue;
        }
        const auto record = channel::parse_record({frame + head, size}, channel::Side::Cloud);
        if (record) return *record;
    }
    return std::nullopt;
}

}  // namespace sotto::bench
