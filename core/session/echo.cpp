// SPDX-License-Identifier: Apache-2.0
#include "core/session/echo.hpp"

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::session {
namespace {

constexpr std::size_t kTimeSize = 4;  // tenths of a second since boot: 13 years

EchoValue value_at(const EchoKey& key, std::uint32_t tenths, Bytes recipient_id) {
    EchoValue value;
    Writer out{value};
    out.u32_be(tenths);
    crypto::HmacSha256 mac{key.expose()};
    mac.update(Bytes{value}.first(kTimeSize));
    mac.update(recipient_id);
    out.bytes(Bytes{mac.finish()}.first(kEchoSize - kTimeSize));
    return value;
}

}  // namespace

EchoValue Echo::make(Bytes recipient_id, Instant now) const {
    return value_at(key_, static_cast<std::uint32_t>(now.ms / 100), recipient_id);
}

bool Echo::is_fresh(Bytes value, Bytes recipient_id, Instant now, Duration lifetime) const {
    if (value.size() != kEchoSize) return false;
    Reader in{value};
    const std::uint32_t tenths = *in.u32_be();
    if (!ct_equal(value, value_at(key_, tenths, recipient_id))) return false;
    const Duration age = now - Instant{static_cast<std::int64_t>(tenths) * 100};
    return age <= lifetime;
}

}  // namespace sotto::session
