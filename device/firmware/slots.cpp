// SPDX-License-Identifier: Apache-2.0
#include "device/firmware/slots.hpp"

#include "device/firmware/board.hpp"

extern "C" {
extern const std::uint8_t sotto_image_begin[];
}

namespace sotto::firmware {
namespace {

Bytes area(std::size_t begin, std::size_t size) {
    return {reinterpret_cast<const std::uint8_t*>(begin), size};
}

boot::Slot running() {
    const auto begin = reinterpret_cast<std::size_t>(&sotto_image_begin);
    return begin == boot::slot_begin(boot::Slot::B) ? boot::Slot::B : boot::Slot::A;
}

std::uint32_t version() {
    return boot::word_at({sotto_image_begin, boot::kImageHeaderSize}, boot::kImageVersion);
}

Bytes journal_area() { return area(boot::kJournalBegin, boot::kJournalSize); }

}  // namespace

bool is_on_trial() {
    ports::ChipFlash flash{journal_area()};
    const boot::State state = boot::Journal{flash}.state();
    return state.is_on_trial && state.active != running();
}

Slots::Slots(hal::Storage& storage)
    : journal_area_(journal_area()),
      target_(area(boot::slot_begin(boot::other(running())), boot::kSlotSize)),
      updater_({.storage = storage,
                .target = target_,
                .journal = journal_,
                .running = running(),
                .version = version(),
                .hardware = board::kHardware}) {}

}  // namespace sotto::firmware
