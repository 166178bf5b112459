// SPDX-License-Identifier: Apache-2.0
#include "ports/service/notify.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sotto::ports {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no thread yet
    return value == nullptr ? "" : value;
}

std::optional<std::int64_t> number_in(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || number <= 0) return std::nullopt;
    return number;
}

}  // namespace

ServiceManager::ServiceManager() : socket_(environment("NOTIFY_SOCKET")) {
    const bool is_address = socket_.starts_with('/') || socket_.starts_with('@');
    if (!is_address || socket_.size() >= sizeof(sockaddr_un::sun_path)) socket_.clear();
    const auto pid = number_in(environment("WATCHDOG_PID"));
    const bool is_ours = !pid || *pid == ::getpid();
    const auto time = number_in(environment("WATCHDOG_USEC"));
    if (is_there() && is_ours && time) watchdog_ = std::chrono::microseconds{*time};
}

void ServiceManager::say(const std::string& state) const {
    if (!is_there()) return;
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (socket_[0] == '@') address.sun_path[0] = '\0';  // an abstract name
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the call wants
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    // A manager that does not listen is none of our business.
    static_cast<void>(::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, name, size));
    ::close(socket);
}

}  // namespace sotto::ports
