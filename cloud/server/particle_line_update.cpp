// SPDX-License-Identifier: Apache-2.0
// Firmware on its way to a legacy device, and what is looked at before.
#include <utility>

#include "cloud/server/particle_line.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

namespace {

services::UpdateResult to_result(particle::UpdateEnding ending) {
    services::UpdateFailure failure{services::UpdateError::Failed,
                                    std::string{particle::to_string(ending)}};
    switch (ending) {
        case particle::UpdateEnding::None:
        case particle::UpdateEnding::Success:
            return {};
        case particle::UpdateEnding::Refused:
            failure.error = services::UpdateError::Refused;
            break;
        case particle::UpdateEnding::Unready:
        case particle::UpdateEnding::Silent:
        case particle::UpdateEnding::Lost:
            failure.error = services::UpdateError::Interrupted;
            break;
        case particle::UpdateEnding::BadChunks:
        case particle::UpdateEnding::Incomplete:
            break;
    }
    return failure;
}

// Whether these bytes are a firmware for such a device.
services::UpdateResult check_image(Bytes image, std::uint16_t platform) {
    constexpr std::uint16_t kCore = 0;  // whose older images have no header
    const auto wrong = [](std::string why) {
        return services::UpdateFailure{services::UpdateError::WrongImage, std::move(why)};
    };
    const auto header = particle::read_header(image);
    if (!header && header.error() == Error::Malformed)
        return wrong("the firmware is damaged: its checksum is not that of its content");
    if (!header && header.error() == Error::TooLarge)
        return services::UpdateFailure{services::UpdateError::TooLarge,
                                       "a firmware has at most 2 MiB"};
    if (!header) return wrong("the file is empty");
    if (*header && (*header)->platform != platform)
        return wrong("the firmware is for devices of platform " +
                     std::to_string((*header)->platform) + "; this one is of platform " +
                     std::to_string(platform));
    if (*header || platform == kCore) return {};
    if (as_text(image).starts_with("PK"))
        return wrong("this is a bundle (.zip); send the binary of the application alone");
    return wrong("the file is no whole firmware of a Particle device");
}

}  // namespace

void ParticleLine::update(services::FirmwarePtr firmware, services::UpdateSteps steps) {
    const auto begun = begin_update(firmware);
    if (!begun) return steps.on_end(begun);
    update_ = std::make_unique<services::UpdateSteps>(std::move(steps));
    world_.log.info("update-begins",
                    {{"device", to_hex<std::string>(device_)},
                     {"file", firmware->name},
                     {"bytes", firmware->bytes.size()}});
    pump_soon();
}

services::UpdateResult ParticleLine::begin_update(const services::FirmwarePtr& firmware) {
    const auto good = check_image(firmware->bytes, session_->hello()->platform);
    if (!good) return good;
    const auto refuse = [](services::UpdateError error, const char* why) {
        return services::UpdateFailure{error, why};
    };
    const particle::Image image{firmware, &firmware->bytes};
    const Status begun = session_->update(image, world_.now());
    if (begun) return {};
    if (begun.error() == Error::TooLarge)
        return refuse(services::UpdateError::TooLarge, "the firmware is larger than the device");
    if (begun.error() == Error::Busy)
        return refuse(services::UpdateError::Busy, "the device is being updated, or restarts");
    return refuse(services::UpdateError::NotConnected, "the device is not connected");
}

void ParticleLine::on(particle::Updating& updating) {
    if (update_) update_->on_progress(updating.taken);
}

void ParticleLine::on(particle::Updated& updated) { end_update(updated.ending); }

void ParticleLine::end_update(particle::UpdateEnding ending) {
    const auto update = std::exchange(update_, nullptr);
    if (!update) return;
    world_.log.info(
        "update-ends",
        {{"device", to_hex<std::string>(device_)}, {"how", particle::to_string(ending)}});
    update->on_end(to_result(ending));
}

void ParticleLine::look_at_safe_mode() {
    if (is_safe_mode_told_ || !session_->is_in_safe_mode() || !session_->description()) return;
    is_safe_mode_told_ = true;
    if (world_.on_safe_mode)
        world_.on_safe_mode(device_, session_->hello()->platform, *session_->description());
}

}  // namespace sotto::cloud::server
