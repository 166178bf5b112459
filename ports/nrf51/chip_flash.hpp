// SPDX-License-Identifier: Apache-2.0
// An area of the chip's flash, through its non-volatile memory controller. The processor stands
// still while it writes (46 us a word) and erases (21 ms a page).
#pragma once

#include "ports/flash/flash.hpp"

namespace sotto::ports {

class ChipFlash final : public Flash {
  public:
    static constexpr std::size_t kPageSize = 1'024;

    // Precondition: whole pages, which hold no code.
    explicit ChipFlash(Bytes area) : area_(area) {}

    Bytes bytes() const override { return area_; }
    std::size_t page_size() const override { return kPageSize; }
    Status write_word(std::size_t offset, std::uint32_t word) override;
    Status erase_page(std::size_t offset) override;

  private:
    std::uint32_t address_of(std::size_t offset) const;

    Bytes area_;
};

}  // namespace sotto::ports
