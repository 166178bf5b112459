// SPDX-License-Identifier: Apache-2.0
// External Authorization Data (RFC 9528 §3.8). No allocation; views into bytes of the caller.
#pragma once

#include <optional>

#include "core/base/fixed_vector.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/edhoc/limits.hpp"

namespace sotto::edhoc {

struct EadItem {
    std::int32_t label = 0;  // as in the message: negative if critical
    std::optional<Bytes> value;

    bool is_critical() const { return label < 0; }
};

// Labels whose items the caller processes, as absolute values.
using EadLabels = std::span<const std::uint16_t>;

// The EAD of a received message.
class Ead {
  public:
    // Everything that is left of a message. Padding (label 0) is dropped.
    // Error::Unsupported if an item is critical and not among `understood`; Error::Malformed,
    // Truncated; Error::TooLarge over kEadItemCountMax items.
    static Result<Ead> read(cbor::Reader& in, EadLabels understood);

    std::span<const EadItem> items() const { return {items_.data(), items_.size()}; }
    // The first item with this label, critical or not; null if there is none.
    const EadItem* find(std::uint16_t label) const;
    // The encoded items, padding included.
    Bytes encoded() const { return encoded_; }

  private:
    FixedVector<EadItem, kEadItemCountMax> items_;
    Bytes encoded_;
};

void write_ead(cbor::Writer& out, std::span<const EadItem> items);

}  // namespace sotto::edhoc
