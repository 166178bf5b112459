// SPDX-License-Identifier: Apache-2.0
#include "core/session/echo.hpp"

#include "core/base/writer.hpp"
#include "core/coap/option.hpp"

namespace sotto::session {
namespace {

constexpr std::size_t kTimeSize = 4;  // tenths of a second since boot: 13 years

EchoValue value_at(const EchoKey& key, Bytes recipient_id, Moment made) {
    EchoValue value;
    Writer out{value};
    out.u32_be(made.tenths);
    crypto::HmacSha256 mac{key.expose()};
    mac.update(Bytes{value}.first(kTimeSize));
    mac.update(recipient_id);
    out.bytes(Bytes{mac.finish()}.first(kEchoSize - kTimeSize));
    return value;
}

}  // namespace

EchoValue Echo::make(Bytes recipient_id, Moment now) const {
    return value_at(key_, recipient_id, now);
}

bool Echo::is_fresh(Bytes value, Bytes recipient_id, Moment now) const {
    if (value.size() != kEchoSize) return false;
    const Moment made{coap::decode_uint(value.first(kTimeSize))};
    if (!ct_equal(value, value_at(key_, recipient_id, made))) return false;
    return now.tenths - made.tenths <= tenths_of(kEchoLifetime);
}

}  // namespace sotto::session
