// SPDX-License-Identifier: Apache-2.0
// What a device links that has what every device needs: Responder and server with pairing,
// sessions, functions, variables, events, the description and /last. For the size report of
// tools/size: it is linked and measured, never run; what a chip brings stands in m0_firmware.cpp.
#include "core/session/basic_parts.hpp"
#include "tests/size/m0_device.hpp"

namespace sotto {
namespace {

firmware::Device device;

void run() {
    session::DescriptionPart description;
    session::LastPart last;
    const std::array<session::Part*, 2> resources{&description, &last};
    firmware::run(device, {.resources = resources});
}

}  // namespace

void panic() {
    for (;;) {
    }
}

}  // namespace sotto

// `nm` shows the size of these to tools/size: RAM per object.
extern "C" {
char sotto_size_session_ram[sizeof(sotto::session::SessionEntry)];
char sotto_size_half_open[sizeof(sotto::session::HalfOpen)];
char sotto_size_server[sizeof(sotto::session::Server)];
}

extern "C" [[noreturn]] void start() {
    sotto::run();
    sotto::panic();
    for (;;) {
    }
}
