// SPDX-License-Identifier: Apache-2.0
#include "core/session/tag_key.hpp"

#include "core/base/writer.hpp"
#include "core/crypto/hkdf.hpp"

namespace sotto::session {

namespace {
constexpr std::string_view kTagKeyInfo = "sotto tag key 1";
}

TagKey tag_key(const keystore::TokenKey& token_key) {
    crypto::Prk prk;
    crypto::hkdf_extract({}, token_key.expose(), prk);
    TagKey key;
    const Status expanded = crypto::hkdf_expand(prk, as_bytes(kTagKeyInfo), key.fill());
    SOTTO_ASSERT(expanded.has_value());
    return key;
}

framing::Tag tag_of(const TagKey& key, framing::TagPeriod period) {
    std::array<std::uint8_t, sizeof period> message{};
    Writer{message}.u32_be(period);
    crypto::Hash mac = crypto::hmac_sha256(key.expose(), message);
    framing::Tag tag{};
    std::copy_n(mac.begin(), tag.size(), tag.begin());
    return tag;
}

bool is_tag_of(const TagKey& key, std::uint32_t unix_seconds, const framing::Tag& tag) {
    const framing::TagPeriod period = framing::tag_period_at(unix_seconds);
    return tag == tag_of(key, period) || tag == tag_of(key, period - 1) ||
           tag == tag_of(key, period + 1);
}

}  // namespace sotto::session
