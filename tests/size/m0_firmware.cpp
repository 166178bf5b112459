// SPDX-License-Identifier: Apache-2.0
// Stand-ins for the chip: as small as they can be, for they are not what is measured.
#include "tests/size/m0_firmware.hpp"

namespace sotto::firmware {
namespace {

// What comes from outside, so that nothing is known of it when this is compiled.
volatile std::uint8_t port;

}  // namespace

Result<std::size_t> Flash::load(hal::RecordId, MutBytes out) {
    for (std::uint8_t& byte : out) byte = port;
    return out.size();
}
Status Flash::store(hal::RecordId id, Bytes) {
    port = static_cast<std::uint8_t>(id.value());
    return {};
}
Status Flash::erase(hal::RecordId id) { return store(id, {}); }

Status Noise::fill(MutBytes out) {
    for (std::uint8_t& byte : out) byte = port;
    return {};
}

bool Sketch::find(session::ResourceKind, std::string_view, session::Traits& traits) const {
    static std::array<std::uint8_t, 512> room;
    traits = {.index = port, .room = MutBytes{room}.first(port)};
    return true;
}
Status Sketch::call(std::uint8_t,
                    const session::Content& argument,
                    session::Format,
                    session::Excerpt& out) {
    out.bytes(argument.payload);
    return {};
}
Status Sketch::read(std::uint8_t, session::Format, session::Excerpt& out) {
    out.text("value");
    return {};
}
Status Sketch::describe(session::Excerpt& out) const {
    out.text("links");
    return {};
}

Input wait() {
    static std::array<std::uint8_t, 64> message;
    return {.channel = {.path = port, .label = port},
            .message = Bytes{message}.first(port),
            .now = Instant{port},
            .has_button = port != 0,
            .has_reset = port != 0,
            .has_event = port != 0};
}
void send(session::Channel channel, Bytes message) {
    port = channel.path;
    for (const std::uint8_t byte : message) port = byte;
}

}  // namespace sotto::firmware
