// SPDX-License-Identifier: Apache-2.0
// Flash memory of a chip: it is read like memory, written in words, and erased in pages.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::ports {

class Flash {
  public:
    static constexpr std::size_t kWordSize = 4;

    // All of it, where it lies; what is erased reads 0xff.
    virtual Bytes bytes() const = 0;
    // A power of two, and a multiple of kWordSize.
    virtual std::size_t page_size() const = 0;

    // Writes a word that is erased, or 0 over one that is not: twice at most between erasures.
    // (After a power cut it may be written with the same again.) A power cut leaves any of its bits
    // written, and bits that read one way now and another after the next boot.
    // Error::StorageFailed: it does not read as it was written. Precondition: the offset is a
    // multiple of kWordSize.
    virtual Status write_word(std::size_t offset, std::uint32_t word) = 0;
    // A power cut leaves any bits of the page erased, likewise. Error::StorageFailed. Precondition:
    // the offset is that of a page.
    virtual Status erase_page(std::size_t offset) = 0;

  protected:
    ~Flash() = default;  // owned by main
};

}  // namespace sotto::ports
