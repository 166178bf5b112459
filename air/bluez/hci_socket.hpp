// SPDX-License-Identifier: Apache-2.0
// The kernel's raw sockets to controllers and to their management: what <net/bluetooth/hci_sock.h>
// has, which is in no package of headers.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/socket.h>

namespace sotto::air::bluez {

struct HciAddress {
    sa_family_t family = AF_BLUETOOTH;
    std::uint16_t number = 0;   // of the controller
    std::uint16_t channel = 0;  // 0: raw
};

// Of hci0, ...; nothing for other names.
std::optional<std::uint16_t> controller_number(std::string_view adapter);

// A socket that is not bound and does not block, or -1 and errno.
int open_hci_socket();
// False, and errno.
bool bind_hci_socket(int socket, const HciAddress& address);

}  // namespace sotto::air::bluez
