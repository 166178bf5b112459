// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/pacer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "air/bluez/hci_pace.hpp"
#include "air/bluez/hci_socket.hpp"
#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {

using boost::system::error_code;

namespace {

constexpr int kOptionFilter = 2;
constexpr unsigned long kGetConnections = _IOR('H', 212, int);
constexpr std::uint8_t kLinkLe = 0x80;
constexpr std::size_t kConnectionsMax = 64;

struct HciFilter {
    std::uint32_t types;
    std::array<std::uint32_t, 2> events;
    std::uint16_t command;
};
struct HciConnection {
    std::uint16_t handle;
    std::array<std::uint8_t, 6> address;
    std::uint8_t type;
    std::uint8_t is_outgoing;
    std::uint16_t state;
    std::uint32_t mode;
};
struct HciConnections {
    std::uint16_t number;
    std::uint16_t count;
    std::array<HciConnection, kConnectionsMax> connections;
};

std::string text_of(const std::array<std::uint8_t, 6>& address) {
    std::array<char, 18> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%02X:%02X:%02X:%02X:%02X:%02X",
                  address[5],
                  address[4],
                  address[3],
                  address[2],
                  address[1],
                  address[0]);
    return text.data();
}

std::string why(int error) {
    if (error == EPERM || error == EACCES) return "it takes CAP_NET_RAW";
    return std::strerror(error);
}

}  // namespace

Pacer::Pacer(boost::asio::io_context& loop, const std::string& adapter)
    : loop_(loop), number_(controller_number(adapter)), timer_(loop) {}

void Pacer::set(const std::string& address, const Pace& pace) {
    if (!asked_.contains(address) && asked_.size() >= kPacesMax) asked_.clear();
    asked_[address] = {};
    std::string trouble = socket_ ? "" : open();
    if (trouble.empty()) trouble = send(address, pace);
    asked_[address].is_waiting = trouble.empty();
    asked_[address].state.trouble = std::move(trouble);
    if (!is_waiting()) return socket_.reset();
    timer_.expires_after(std::chrono::milliseconds{kPaceTimeMax.ms});
    timer_.async_wait([weak = weak_from_this()](error_code error) {
        const auto self = weak.lock();
        if (self && !error) self->give_up();
    });
}

bool Pacer::is_waiting() const {
    return std::any_of(
        asked_.begin(), asked_.end(), [](const auto& item) { return item.second.is_waiting; });
}

void Pacer::give_up() {
    socket_.reset();
    for (auto& [address, asked] : asked_) {
        if (std::exchange(asked.is_waiting, false))
            asked.state.trouble = "the controller does not answer";
    }
}

std::optional<LinkPace> Pacer::of(const std::string& address) const {
    const auto found = asked_.find(address);
    if (found == asked_.end()) return std::nullopt;
    return found->second.state;
}

std::string Pacer::open() {
    if (!number_) return "the adapter has no number";
    const int socket = open_hci_socket();
    if (socket < 0) return why(errno);
    socket_.emplace(loop_, socket);
    const HciFilter filter{.types = 1U << 4, .events = {0, 1U << (0x3e - 32)}, .command = 0};
    if (::setsockopt(socket, 0, kOptionFilter, &filter, sizeof filter) != 0 ||
        !bind_hci_socket(socket, {.number = *number_})) {
        const int error = errno;
        socket_.reset();
        return why(error);
    }
    wait();
    return {};
}

std::string Pacer::send(const std::string& address, const Pace& pace) {
    const auto handle = find_handle(address);
    if (!handle) return "the kernel has no such link";
    asked_[address].handle = *handle;
    const auto packet = pace_command(*handle, pace);
    if (::send(socket_->native_handle(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0)
        return why(errno);
    return {};
}

std::optional<std::uint16_t> Pacer::find_handle(const std::string& address) {
    HciConnections list{.number = *number_, .count = kConnectionsMax, .connections = {}};
    if (::ioctl(socket_->native_handle(), kGetConnections, &list) != 0) return std::nullopt;
    for (std::size_t i = 0; i < list.count && i < kConnectionsMax; ++i) {
        const HciConnection& connection = list.connections[i];
        if (connection.type == kLinkLe && text_of(connection.address) == address)
            return connection.handle;
    }
    return std::nullopt;
}

void Pacer::wait() {
    socket_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [weak = weak_from_this()](error_code error) {
                            const auto self = weak.lock();
                            if (!self || error || !self->socket_) return;
                            while (self->read()) {
                            }
                            if (self->socket_) self->wait();
                        });
}

// False: there is no more for now, or its adapter has gone.
bool Pacer::read() {
    std::array<std::uint8_t, 260> packet;
    const auto size = ::recv(socket_->native_handle(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (size <= 0) {
        give_up();
        return false;
    }
    const auto event = parse_pace_event(Bytes{packet}.first(static_cast<std::size_t>(size)));
    if (!event) return true;
    for (auto& [address, asked] : asked_) {
        if (asked.handle != event->handle || !std::exchange(asked.is_waiting, false)) continue;
        if (event->status == 0) {
            asked.state.granted = event->granted;
        } else {
            asked.state.trouble = "the device refuses it";
        }
    }
    if (is_waiting()) return true;
    timer_.cancel();
    socket_.reset();
    return false;
}

}  // namespace sotto::air::bluez
