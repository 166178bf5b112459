// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/hci_socket.hpp"

#include <charconv>

namespace sotto::air::bluez {

namespace {

constexpr int kProtocolHci = 1;

}  // namespace

std::optional<std::uint16_t> controller_number(std::string_view adapter) {
    constexpr std::string_view kPrefix = "hci";
    if (!adapter.starts_with(kPrefix)) return std::nullopt;
    std::uint16_t number = 0;
    const char* end = adapter.data() + adapter.size();
    const auto parsed = std::from_chars(adapter.data() + kPrefix.size(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return number;
}

int open_hci_socket() {
    return ::socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kProtocolHci);
}

bool bind_hci_socket(int socket, const HciAddress& address) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the call wants
    return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace sotto::air::bluez
