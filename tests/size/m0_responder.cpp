// SPDX-License-Identifier: Apache-2.0
// What a device links that has what every device needs: Responder and server with pairing,
// sessions, functions, variables, events, the description, /last, and a cloud that takes it in. For
// the size report of tools/size: it is linked and measured, never run; what a chip brings stands in
// m0_firmware.cpp.
#include "core/session/basic_parts.hpp"
#include "core/session/network_part.hpp"
#include "tests/size/m0_device.hpp"

namespace sotto {
namespace {

firmware::Device device;

void run() {
    session::DescriptionPart description;
    session::LastPart last;
    session::NetworkPart network;
    session::AttachPart attach;
    const std::array<session::Part*, 4> resources{&description, &last, &network, &attach};
    firmware::run(device, {.resources = resources});
}

}  // namespace

void panic(const char*, int) {
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
    sotto::panic("start", 0);
    for (;;) {
    }
}
