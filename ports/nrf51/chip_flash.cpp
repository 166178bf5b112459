// SPDX-License-Identifier: Apache-2.0
#include "ports/nrf51/chip_flash.hpp"

#include "ports/nrf51/registers.hpp"

namespace sotto::ports {
namespace {

void wait_until_ready() {
    while (nrf51::nvmc::ready() == 0) {
    }
}

}  // namespace

std::uint32_t ChipFlash::address_of(std::size_t offset) const {
    return reinterpret_cast<std::uint32_t>(area_.data()) + offset;
}

Status ChipFlash::write_word(std::size_t offset, std::uint32_t word) {
    const std::uint32_t address = address_of(offset);
    nrf51::nvmc::config() = nrf51::nvmc::kWrite;
    nrf51::at(address) = word;
    wait_until_ready();
    nrf51::nvmc::config() = nrf51::nvmc::kRead;
    if (nrf51::at(address) != word) return Error::StorageFailed;
    return {};
}

Status ChipFlash::erase_page(std::size_t offset) {
    const std::uint32_t address = address_of(offset);
    nrf51::nvmc::config() = nrf51::nvmc::kErase;
    nrf51::nvmc::erase_page() = address;
    wait_until_ready();
    nrf51::nvmc::config() = nrf51::nvmc::kRead;
    for (std::size_t i = 0; i < kPageSize; i += kWordSize) {
        if (nrf51::at(address + i) != 0xffff'ffff) return Error::StorageFailed;
    }
    return {};
}

}  // namespace sotto::ports
