// SPDX-License-Identifier: Apache-2.0
// Connection identifiers (RFC 9528 §3.3): byte strings, which OSCORE uses as they are. No
// allocation; owns its bytes.
#pragma once

#include <array>

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/edhoc/limits.hpp"

namespace sotto::edhoc {

class ConnectionId {
  public:
    ConnectionId() = default;  // the empty one, which is as good as any
    explicit ConnectionId(std::uint8_t byte) : size_(1), bytes_{byte} {}
    // Error::TooLarge over kConnectionIdSizeMax.
    static Result<ConnectionId> from(Bytes bytes);

    // In a message, or in front of one (RFC 9528 A.2): an integer or a byte string (§3.3.2). Fails
    // with Error::Malformed, TooLarge.
    static ConnectionId read(cbor::Reader& in);
    void write(cbor::Writer& out) const;

    Bytes view() const { return Bytes{bytes_}.first(size_); }
    friend bool operator==(const ConnectionId&, const ConnectionId&) = default;

  private:
    explicit ConnectionId(Bytes bytes);

    std::uint8_t size_ = 0;
    std::array<std::uint8_t, kConnectionIdSizeMax> bytes_{};
};

}  // namespace sotto::edhoc
