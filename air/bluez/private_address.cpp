// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/private_address.hpp"

#include <array>
#include <cstdint>
#include <unistd.h>

#include "air/bluez/hci_socket.hpp"

namespace sotto::air::bluez {

namespace {

constexpr HciAddress kManagement{.number = 0xffff, .channel = 3};

// Little-endian: event or command u16, adapter u16, size u16, and what follows.
constexpr std::uint8_t kReadInformation = 0x04;
constexpr std::uint8_t kCommandComplete = 0x01;
constexpr std::size_t kSettingsAt = 6 + 3 + 6 + 1 + 2 + 4;  // behind address, version, ...
constexpr std::uint8_t kPrivacyInSecondByte = 0x20;         // bit 13
constexpr int kEventsMax = 16;                              // of others, before the answer

}  // namespace

std::optional<bool> has_private_address(const std::string& adapter) {
    const auto number = controller_number(adapter);
    if (!number) return std::nullopt;
    const auto low = static_cast<std::uint8_t>(*number);
    const auto high = static_cast<std::uint8_t>(*number >> 8U);
    const int socket = open_hci_socket();
    if (socket < 0) return std::nullopt;
    std::optional<bool> is_private;
    const std::array<std::uint8_t, 6> question{kReadInformation, 0, low, high, 0, 0};
    if (bind_hci_socket(socket, kManagement) && ::write(socket, question.data(), question.size()) ==
                                                    static_cast<ssize_t>(question.size())) {
        std::array<std::uint8_t, 512> event{};
        for (int i = 0; i < kEventsMax && !is_private; ++i) {
            const auto size = ::read(socket, event.data(), event.size());
            if (size <= 0) break;
            const bool is_answer = event[0] == kCommandComplete && event[2] == low &&
                                   event[3] == high && event[6] == kReadInformation &&
                                   event[8] == 0;
            if (is_answer && static_cast<std::size_t>(size) >= kSettingsAt + 4)
                is_private = (event[kSettingsAt + 1] & kPrivacyInSecondByte) != 0;
        }
    }
    ::close(socket);
    return is_private;
}

}  // namespace sotto::air::bluez
