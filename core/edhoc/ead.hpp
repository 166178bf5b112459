// SPDX-License-Identifier: Apache-2.0
// External Authorization Data (RFC 9528 §3.8). No allocation; views into bytes of the caller.
#pragma once

#include <optional>

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

// The EAD of a received message: checked as a whole, and walked again when asked.
class Ead {
  public:
    Ead() = default;  // an empty one
    // Everything that is left of a message. Fails with Error::Unsupported if an item is critical
    // and not among `understood`, Error::TooLarge if a label is over 65535.
    static Ead read(cbor::Reader& in, EadLabels understood);

    // The first item with this label, critical or not.
    std::optional<EadItem> find(std::uint16_t label) const;
    // The encoded items, with the padding (label 0), which has no meaning.
    Bytes encoded() const { return encoded_; }

  private:
    explicit Ead(Bytes encoded) : encoded_(encoded) {}

    Bytes encoded_;
};

void write_ead(cbor::Writer& out, std::span<const EadItem> items);

}  // namespace sotto::edhoc
