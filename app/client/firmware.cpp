// SPDX-License-Identifier: Apache-2.0
#include "app/client/firmware.hpp"

#include <algorithm>

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::app {
namespace {

constexpr std::size_t kPieceSize = 256;     // fits one message of a chip
constexpr std::size_t kPieceOverhead = 16;  // of its CBOR

Failure takes_none() {
    return {Trouble::Refused,
            "this device has no firmware that can be updated like this",
            "See its manual"};
}

// What the device says, in its own words.
Failure refusal(const Device::Answered& answered) {
    if (answered.code == coap::Code::NotFound) return takes_none();
    const std::string why = answered.payload.empty() ? "it gave no reason" : answered.payload;
    return {Trouble::Refused,
            "the device refused the update: " + why,
            answered.code == coap::Code::ServiceUnavailable
                ? "Try again in a minute"
                : "Nothing has changed on it. Ask its publisher for the right file"};
}

Failure strange() {
    return {Trouble::Refused,
            "the device tells nothing of its firmware that this program understands",
            "Check that device and program are of the same version"};
}

void read_field(cbor::Reader& in, Firmware& firmware) {
    const std::uint64_t key = in.uint();
    if (key == 1) {
        firmware.hardware = std::string{in.text()};
        return;
    }
    if (key > 7) {  // of a later version
        in.skip();
        return;
    }
    const std::uint64_t number = in.uint();
    in.require(number <= 0xffff'ffff);
    const auto value = static_cast<std::uint32_t>(number);
    if (key == 2) firmware.version = value;
    if (key == 3) firmware.slot = static_cast<std::uint8_t>(value & 1U);
    if (key == 4 && value <= 3) firmware.outcome = static_cast<TrialOutcome>(value);
    if (key == 5) firmware.next_version = value;
    if (key == 6) firmware.size = value;
    if (key == 7) firmware.taken = value;
}

Outcome<Firmware> firmware_in(const Device::Answered& answered) {
    if (!coap::is_success(answered.code)) return refusal(answered);
    const auto firmware = parse_firmware(as_bytes(answered.payload));
    if (!firmware) return strange();
    return *firmware;
}

Outcome<> send_piece(Device& device, Bytes image, std::size_t offset) {
    std::array<std::uint8_t, kPieceSize + kPieceOverhead> buffer{};
    cbor::Writer writer{buffer};
    writer.array(2).uint(offset).bytes(
        image.subspan(offset, std::min(kPieceSize, image.size() - offset)));
    SOTTO_TRY_ASSIGN(const auto answered, device.ask_updater(coap::Code::Put, writer.written()));
    if (!coap::is_success(answered.code)) return refusal(answered);
    return {};
}

}  // namespace

std::optional<Firmware> parse_firmware(Bytes cbor) {
    cbor::Reader in{cbor};
    Firmware firmware;
    for (std::size_t left = in.map(); left > 0 && in.status(); --left) read_field(in, firmware);
    if (!in.finish() || firmware.version == 0 || firmware.taken > firmware.size)
        return std::nullopt;
    return firmware;
}

Outcome<Firmware> firmware_of(Device& device) {
    SOTTO_TRY_ASSIGN(const auto answered, device.ask_updater(coap::Code::Get, {}));
    return firmware_in(answered);
}

Outcome<> send_firmware(Device& device,
                        const update::File& file,
                        const std::function<void(const Firmware&)>& on_taken) {
    SOTTO_TRY_ASSIGN(const auto begun, device.ask_updater(coap::Code::Put, file.signed_manifest));
    SOTTO_TRY_ASSIGN(Firmware firmware, firmware_in(begun));
    const Bytes image = file.images[1U - firmware.slot];  // for the slot that is free
    if (firmware.next_version != file.manifest.version || firmware.size != image.size())
        return strange();
    std::size_t offset = firmware.taken / kPieceSize * kPieceSize;
    for (; offset < image.size(); offset += kPieceSize) {
        on_taken(firmware);
        SOTTO_TRY(send_piece(device, image, offset));
        firmware.taken = static_cast<std::uint32_t>(std::min(offset + kPieceSize, image.size()));
    }
    on_taken(firmware);
    return {};
}

Outcome<> install_firmware(Device& device) {
    SOTTO_TRY_ASSIGN(const auto answered, device.ask_updater(coap::Code::Post, {}));
    if (!coap::is_success(answered.code)) return refusal(answered);
    return {};
}

}  // namespace sotto::app
