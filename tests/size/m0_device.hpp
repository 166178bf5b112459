// SPDX-License-Identifier: Apache-2.0
// A device of the images of tests/size, as a firmware's main would keep it, around the parts that
// the image is about.
#pragma once

#include "core/session/server.hpp"
#include "tests/size/m0_firmware.hpp"

namespace sotto::firmware {

inline constexpr std::size_t kMessageSize = 512;  // a frame on the chip
inline constexpr std::size_t kResultSize = 256;

struct Device {
    Flash flash;
    Noise noise;
    Sketch sketch;
    std::array<session::SessionEntry, session::kStoredSessions> sessions;
    std::array<session::HalfOpen, session::kHalfOpenSlots> half_open;
    std::array<session::KeptAnswer, session::kAnswerCacheCount + 1> answers;
    std::array<session::PendingEvent, session::kPendingEvents> events;
    std::array<std::uint8_t, kMessageSize> scratch;
    std::array<std::uint8_t, kResultSize> result;
    std::array<std::uint8_t, kMessageSize> out;
};

inline void serve(session::Server& server, MutBytes out) {
    for (;;) {
        const Input input = wait();
        if (input.has_button) server.on_button(input.now);
        if (input.has_reset && !server.factory_reset()) panic();
        if (input.has_event && !server.publish(0, {.payload = input.message})) continue;
        send(input.channel, server.receive(input.channel, input.message, input.now, out));
        while (const auto outgoing = server.poll(input.now, out)) {
            send(outgoing->channel, outgoing->message);
        }
    }
}

inline void run(Device& device, const session::Parts& parts) {
    keystore::Identity identity;
    if (!keystore::load_identity(device.flash, identity)) return;
    cose::Credential credential;
    if (!cose::Credential::parse(identity.credential, credential)) return;
    session::Server server{
        {.identity = {.credential = credential, .private_key = identity.private_key},
         .storage = device.flash,
         .entropy = device.noise,
         .resources = device.sketch,
         .parts = parts,
         .display = session::PairingDisplay::Label,
         .sessions = device.sessions,
         .half_open = device.half_open,
         .answers = device.answers,
         .events = device.events,
         .scratch = device.scratch,
         .result = device.result}};
    if (server.start(wait().now)) serve(server, device.out);
}

}  // namespace sotto::firmware
