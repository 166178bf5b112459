// SPDX-License-Identifier: Apache-2.0
// What a device links: Responder and server with every resource, for the size report of
// tools/size. It is linked and measured, never run; what a chip brings stands in m0_firmware.cpp.
#include "core/session/server.hpp"
#include "tests/size/m0_firmware.hpp"

namespace sotto {
namespace {

using session::Channel;

constexpr std::size_t kMessageSize = 512;  // a frame on the chip
constexpr std::size_t kResultSize = 256;

// A device's state, as the firmware's main would keep it.
struct Device {
    firmware::Flash flash;
    firmware::Noise noise;
    firmware::Sketch sketch;
    std::array<session::SessionEntry, session::kStoredSessions> sessions;
    std::array<session::HalfOpen, session::kHalfOpenSlots> half_open;
    std::array<std::uint8_t, kMessageSize> scratch;
    std::array<std::uint8_t, kResultSize> result;
    std::array<std::uint8_t, kMessageSize> out;
};

void serve(session::Server& server, MutBytes out) {
    for (;;) {
        const firmware::Input input = firmware::wait();
        if (input.has_button) server.on_button(input.now);
        if (input.has_reset && !server.factory_reset()) panic("reset", 0);
        if (input.has_event && !server.publish(0, {.payload = input.message})) continue;
        firmware::send(input.channel, server.receive(input.channel, input.message, input.now, out));
        while (const auto outgoing = server.poll(input.now, out)) {
            firmware::send(outgoing->channel, outgoing->message);
        }
    }
}

void run(Device& device) {
    const auto identity = keystore::load_identity(device.flash);
    if (!identity) return;
    const auto credential = cose::Credential::parse(identity->credential);
    if (!credential) return;
    session::Server server{
        {.identity = {.credential = *credential, .private_key = identity->private_key},
         .storage = device.flash,
         .entropy = device.noise,
         .resources = device.sketch,
         .display = session::PairingDisplay::Label,
         .sessions = device.sessions,
         .half_open = device.half_open,
         .scratch = device.scratch,
         .result = device.result}};
    if (server.start(firmware::wait().now)) serve(server, device.out);
}

Device device;

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
    sotto::run(sotto::device);
    sotto::panic("start", 0);
    for (;;) {
    }
}
