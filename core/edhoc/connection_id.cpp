// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/connection_id.hpp"

#include <algorithm>

#include "core/cose/identifier.hpp"

namespace sotto::edhoc {

Result<ConnectionId> ConnectionId::from(Bytes bytes) {
    if (bytes.size() > kConnectionIdSizeMax) return Error::TooLarge;
    ConnectionId id;
    std::copy(bytes.begin(), bytes.end(), id.bytes_.begin());
    id.size_ = static_cast<std::uint8_t>(bytes.size());
    return id;
}

Result<ConnectionId> ConnectionId::read(cbor::Reader& in) {
    SOTTO_TRY_ASSIGN(const Bytes bytes, cose::read_identifier(in));
    return from(bytes);
}

void ConnectionId::write(cbor::Writer& out) const { cose::write_identifier(out, view()); }

}  // namespace sotto::edhoc
