// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/connection_id.hpp"

#include <algorithm>

#include "core/cose/identifier.hpp"

namespace sotto::edhoc {

Result<ConnectionId> ConnectionId::from(Bytes bytes) {
    if (bytes.size() > kConnectionIdSizeMax) return Error::TooLarge;
    return ConnectionId{bytes};
}

ConnectionId::ConnectionId(Bytes bytes) : size_(static_cast<std::uint8_t>(bytes.size())) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

ConnectionId ConnectionId::read(cbor::Reader& in) {
    const Bytes bytes = cose::read_identifier(in);
    in.require(bytes.size() <= kConnectionIdSizeMax, Error::TooLarge);
    return in.status() ? ConnectionId{bytes} : ConnectionId{};
}

void ConnectionId::write(cbor::Writer& out) const { cose::write_identifier(out, view()); }

}  // namespace sotto::edhoc
