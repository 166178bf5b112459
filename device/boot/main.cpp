// SPDX-License-Identifier: Apache-2.0
// The boot program: the first 2 KB of the chip's flash. It decides which image runs and starts it.
// An update never touches it. Faults of an image come here too, for a Cortex-M0 has its vectors at
// address 0 and nowhere else: they are boots, and end a trial.
#include <cstdint>

#include "device/boot/layout.hpp"
#include "ports/nrf51/chip_flash.hpp"
#include "ports/nrf51/registers.hpp"

namespace {

using namespace sotto;

Bytes flash(std::size_t begin, std::size_t size) {
    return {reinterpret_cast<const std::uint8_t*>(begin), size};
}

Bytes image_of(boot::Slot slot) { return flash(boot::slot_begin(slot), boot::kSlotSize); }

[[noreturn]] void run(Bytes image) {
    const std::uint32_t stack = boot::word_at(image, boot::kImageStack);
    const std::uint32_t entry = boot::word_at(image, boot::kImageEntry);
    asm volatile("msr msp, %0\n bx %1" : : "r"(stack), "r"(entry));
    __builtin_unreachable();
}

}  // namespace

extern "C" {
extern std::uint32_t sotto_stack_top;

[[noreturn]] void Reset_Handler() {
    asm volatile("cpsid i");  // interrupts wake the processor and are never taken
    ports::ChipFlash area{flash(boot::kJournalBegin, boot::kJournalSize)};
    boot::Journal journal{area};
    const boot::Slot slot = boot::start(journal);
    // An image on trial that hangs is reset, which counts as a boot.
    if (slot != journal.state().active) ports::nrf51::watchdog::set(boot::kTrialSilenceSeconds);
    const Bytes image = image_of(slot);
    run(boot::is_image(image, slot) ? image : image_of(boot::other(slot)));
}

[[noreturn]] void Fault_Handler() { ports::nrf51::reset(); }

using Vector = void (*)();
[[gnu::section(".vectors"), gnu::used]] const Vector vectors[] = {
    reinterpret_cast<Vector>(&sotto_stack_top),
    Reset_Handler,
    Fault_Handler,  // NMI
    Fault_Handler,  // HardFault
};
}

namespace sotto {

void panic() { Fault_Handler(); }

}  // namespace sotto
