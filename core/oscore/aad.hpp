// SPDX-License-Identifier: Apache-2.0
// The additional authenticated data of request and response (RFC 8613 §5.4). No allocation; owns
// its bytes.
#pragma once

#include <array>

#include "core/cose/enc_structure.hpp"
#include "core/oscore/context.hpp"

namespace sotto::oscore {

// [1, [10], request_kid, request_piv, h'']
inline constexpr std::size_t kAadArraySizeMax =
    1 + 1 + (1 + 1) + (1 + kIdSizeMax) + (1 + kPivSizeMax) + 1;

class Aad {
  public:
    // Precondition: request_kid has at most kIdSizeMax bytes, request_piv kPivSizeMax.
    Aad(Bytes request_kid, Bytes request_piv);
    Bytes view() const { return Bytes{bytes_}.first(size_); }

  private:
    std::array<std::uint8_t, kAadArraySizeMax + cose::kEncStructureOverheadMax> bytes_;
    std::uint8_t size_ = 0;
};

}  // namespace sotto::oscore
