// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/hci_socket.hpp"

#include <gtest/gtest.h>

namespace sotto::air::bluez {
namespace {

TEST(HciSocket, AControllerHasTheNumberInTheNameOfItsAdapter) {
    EXPECT_EQ(controller_number("hci0"), 0);
    EXPECT_EQ(controller_number("hci300"), 300);
    for (const char* name : {"", "hci", "hci-1", "hci65536", "hci1x", "usb0"})
        EXPECT_FALSE(controller_number(name)) << name;
}

}  // namespace
}  // namespace sotto::air::bluez
