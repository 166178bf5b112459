// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/private_address.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/bytes.hpp"

namespace sotto::air::bluez {

namespace {

// The kernel's <net/bluetooth/hci_sock.h>, which is in no package of headers.
constexpr int kProtocolHci = 1;
constexpr std::uint16_t kNoDevice = 0xffff;
constexpr std::uint16_t kControlChannel = 3;
struct HciAddress {
    sa_family_t family = AF_BLUETOOTH;
    std::uint16_t device = kNoDevice;
    std::uint16_t channel = kControlChannel;
};

// Little-endian: event or command u16, adapter u16, size u16, and what follows.
constexpr std::uint8_t kReadInformation = 0x04;
constexpr std::uint8_t kCommandComplete = 0x01;
constexpr std::size_t kSettingsAt = 6 + 3 + 6 + 1 + 2 + 4;  // behind address, version, ...
constexpr std::uint8_t kPrivacyInSecondByte = 0x20;         // bit 13
constexpr int kEventsMax = 16;                              // of others, before the answer

}  // namespace

std::optional<bool> has_private_address(const std::string& adapter) {
    constexpr std::string_view kFront = "hci";
    std::uint8_t number = 0;
    const char* end = adapter.data() + adapter.size();
    if (!adapter.starts_with(kFront) ||
        std::from_chars(adapter.data() + kFront.size(), end, number).ptr != end)
        return std::nullopt;
    const int socket =
        ::socket(AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kProtocolHci);
    if (socket < 0) return std::nullopt;
    std::optional<bool> is_private;
    const HciAddress address;
    const std::array<std::uint8_t, 6> question{kReadInformation, 0, number, 0, 0, 0};
    const auto* any = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(socket, any, sizeof address) == 0 &&
        ::write(socket, question.data(), question.size()) ==
            static_cast<ssize_t>(question.size())) {
        std::array<std::uint8_t, 512> event{};
        for (int i = 0; i < kEventsMax && !is_private; ++i) {
            const auto size = ::read(socket, event.data(), event.size());
            if (size <= 0) break;
            const bool is_answer = event[0] == kCommandComplete && event[2] == number &&
                                   event[6] == kReadInformation && event[8] == 0;
            if (is_answer && static_cast<std::size_t>(size) >= kSettingsAt + 4)
                is_private = (event[kSettingsAt + 1] & kPrivacyInSecondByte) != 0;
        }
    }
    ::close(socket);
    return is_private;
}

}  // namespace sotto::air::bluez
