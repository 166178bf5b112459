// SPDX-License-Identifier: Apache-2.0
// The flash of a chip with two slots as the image that runs sees it, and its update. No allocation.
#pragma once

#include "device/update/updater.hpp"
#include "ports/nrf51/chip_flash.hpp"

namespace sotto::firmware {

// Whether this image has yet to prove itself.
bool is_on_trial();

class Slots {
  public:
    explicit Slots(hal::Storage& storage);

    update::Updater& updater() { return updater_; }

  private:
    ports::ChipFlash journal_area_;
    boot::Journal journal_{journal_area_};
    ports::ChipFlash target_;
    update::Updater updater_;
};

}  // namespace sotto::firmware
