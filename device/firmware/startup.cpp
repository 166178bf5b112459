// SPDX-License-Identifier: Apache-2.0
// From power to run(): the vectors, memory, and what the compiler wants of a program without a
// system.
#include <cstdint>

#include "device/boot/layout.hpp"
#include "device/firmware/firmware.hpp"
#include "ports/nrf51/registers.hpp"

extern "C" {
extern std::uint32_t sotto_stack_top;
extern std::uint32_t sotto_data_image;
extern std::uint32_t sotto_data_begin;
extern std::uint32_t sotto_data_end;
extern std::uint32_t sotto_bss_begin;
extern std::uint32_t sotto_bss_end;
extern void (*sotto_constructors_begin[])();
extern void (*sotto_constructors_end[])();

// Names what the stack has never reached: tests read it back (m0_ram_bytes).
constexpr std::uint32_t kPaint = 0xdead'beef;
constexpr std::uint32_t kUnpainted = 16;  // words below the stack pointer that are in use here

[[noreturn]] void Reset_Handler() {
    asm volatile("cpsid i");  // interrupts wake the processor and are never taken
    const std::uint32_t* image = &sotto_data_image;
    for (std::uint32_t* word = &sotto_data_begin; word < &sotto_data_end;) *word++ = *image++;
    for (std::uint32_t* word = &sotto_bss_begin; word < &sotto_bss_end;) *word++ = 0;
    std::uint32_t* stack = nullptr;
    asm volatile("mov %0, sp" : "=r"(stack));
    for (std::uint32_t* word = &sotto_bss_end; word < stack - kUnpainted;) *word++ = kPaint;
    for (auto* call = sotto_constructors_begin; call != sotto_constructors_end; ++call) (*call)();
    sotto::firmware::run();
}

// Whatever went wrong, a boot is the way out: everything that must last is in flash.
[[noreturn]] void Fault_Handler() { sotto::ports::nrf51::reset(); }

void __cxa_pure_virtual() { Fault_Handler(); }
[[noreturn]] void abort() { Fault_Handler(); }

// Behind a boot program only the first two are used.
using Vector = void (*)();
constexpr int kExceptions = 16;
[[gnu::section(".vectors"), gnu::used]] const Vector vectors[kExceptions] = {
    reinterpret_cast<Vector>(&sotto_stack_top),
    Reset_Handler,
    Fault_Handler,  // NMI
    Fault_Handler,  // HardFault
    nullptr,
    nullptr,
    nullptr,
    reinterpret_cast<Vector>(sotto::boot::kMagic),
    reinterpret_cast<Vector>(sotto::firmware::kVersion),
};
static_assert(sotto::boot::kImageMagic == 7 * sizeof(Vector));
static_assert(sotto::boot::kImageVersion == 8 * sizeof(Vector));
static_assert(sotto::boot::kImageHeaderSize == kExceptions * sizeof(Vector));
}
