// SPDX-License-Identifier: Apache-2.0
// A device's firmware, as its owner's app sees and replaces it (docs/protocol/session.md, SES-110
// to SES-118). Allocates; blocks on the device.
#pragma once

#include "app/client/device.hpp"
#include "core/update/file.hpp"

namespace sotto::app {

// How the last trial of a firmware ended.
enum class TrialOutcome : std::uint8_t { None = 0, Confirmed = 1, Boots = 2, Time = 3 };

struct Firmware {
    std::string hardware;
    std::uint32_t version = 0;  // that runs
    std::uint8_t slot = 0;
    TrialOutcome outcome = TrialOutcome::None;
    // Of an update under way.
    std::uint32_t next_version = 0;  // 0: there is none
    std::uint32_t size = 0;
    std::uint32_t taken = 0;
};

// What a device says of itself. Nothing if it is not that.
std::optional<Firmware> parse_firmware(Bytes cbor);

// Asks the device. Trouble::Refused also if it takes no updates; others as Device's.
Outcome<Firmware> firmware_of(Device& device);

// Sends all of the image that the device lacks, as often as it is called. `on_taken` is told what
// the device has. Trouble::Refused with the device's own reason; others as Device's: then it can be
// called again, and goes on.
Outcome<> send_firmware(Device& device,
                        const update::File& file,
                        const std::function<void(const Firmware&)>& on_taken);

// Lets the device check what it has taken and start it. Trouble::Refused with its reason;
// Trouble::OutcomeUnknown: it may have.
Outcome<> install_firmware(Device& device);

}  // namespace sotto::app
