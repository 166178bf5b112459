// SPDX-License-Identifier: Apache-2.0
#include "core/session/access_token.hpp"

#include "core/cbor/writer.hpp"
#include "core/session/fields.hpp"

namespace sotto::session {
namespace {

// What a token begins with: tag 17 of [{alg: HMAC 256/256}, {}, payload, tag] (RFC 9052 §2, §6.2).
constexpr std::array<std::uint8_t, 7> kHead{0xd1, 0x84, 0x43, 0xa1, 0x01, 0x05, 0xa0};
// ["MAC0", protected, h'', and the payload behind this (RFC 9052 §6.3).
constexpr std::array<std::uint8_t, 11> kMacStructure{
    0x84, 0x64, 'M', 'A', 'C', '0', 0x43, 0xa1, 0x01, 0x05, 0x40};

// Claims (RFC 8392 §4, RFC 8747 §7.1, RFC 9200 §8.14).
constexpr std::uint8_t kExp = 4;
constexpr std::uint8_t kCti = 7;
constexpr std::uint8_t kCnf = 8;
constexpr std::uint8_t kScope = 9;
constexpr std::uint8_t kCnfKid = 3;

constexpr std::uint8_t kGrantable = 32;  // of each kind, by themselves

Bytes encode_claims(const Grant& grant, MutBytesN<keystore::kTokenSizeMax> out) {
    cbor::Writer writer{out};
    const bool ends = grant.not_after != Grant::kNever;
    writer.map(2U + (ends ? 1 : 0) + (grant.scope ? 1 : 0));
    if (ends) writer.uint(kExp).uint(grant.not_after);
    writer.uint(kCti).bytes(grant.id);
    writer.uint(kCnf).map(1).uint(kCnfKid).bytes(grant.holder);
    if (grant.scope) writer.uint(kScope).bytes(*grant.scope);
    return writer.written();
}

// [SES-34] A claim that is not known may be a restriction: it is never passed over.
Status parse_claims(Bytes payload, Grant& grant) {
    cbor::Reader in{payload};
    std::size_t count = in.map();
    grant = {};
    if (!in.empty() && in.rest()[0] == kExp) {
        read_key(in, kExp);
        const std::uint64_t seconds = in.uint();
        in.require(seconds < Grant::kNever);
        grant.not_after = static_cast<std::uint32_t>(seconds);
        --count;
    }
    read_bytes(in, kCti, grant.id);
    read_key(in, kCnf);
    in.require(in.map() == 1);
    read_bytes(in, kCnfKid, grant.holder);
    if (count == 3) {
        read_key(in, kScope);
        grant.scope = in.bytes();
        --count;
    }
    in.require(count == 2);
    return in.finish();
}

}  // namespace

crypto::Hash mac0_tag(Bytes key, Bytes payload) {
    std::array<std::uint8_t, 9> head;
    cbor::Writer writer{head};
    writer.head(cbor::Kind::Bytes, payload.size());
    crypto::HmacSha256 mac{key};
    mac.update(kMacStructure);
    mac.update(writer.written());
    mac.update(payload);
    return mac.finish();
}

Result<Bytes> issue_token(const Grant& grant, const keystore::TokenKey& key, MutBytes out) {
    std::array<std::uint8_t, keystore::kTokenSizeMax> claims;
    const Bytes payload = encode_claims(grant, claims);
    if (payload.empty()) return Error::NoSpace;
    if (out.size() > keystore::kTokenSizeMax) out = out.first(keystore::kTokenSizeMax);
    cbor::Writer writer{out};
    writer.raw(kHead).bytes(payload);
    return writer.bytes(mac0_tag(key.expose(), payload)).finish();
}

Status open_token(Bytes token, const keystore::TokenKey& key, Grant& grant) {
    if (token.size() < kHead.size() || !equal(token.first(kHead.size()), kHead)) {
        return Error::Malformed;
    }
    cbor::Reader in{token.subspan(kHead.size())};
    const Bytes payload = in.bytes();
    const Bytes tag = in.bytes();
    SOTTO_TRY(in.finish());
    if (!ct_equal(tag, mac0_tag(key.expose(), payload))) return Error::Unauthenticated;
    return parse_claims(payload, grant);
}

bool Permissions::has(ResourceKind kind, std::uint8_t index) const {
    if (is_everything) return true;
    return index < kGrantable && (bits[static_cast<std::size_t>(kind)] >> index & 1U) != 0;
}

Status parse_scope(Bytes scope, const Resources& resources, Permissions& permissions) {
    permissions = {};
    cbor::Reader in{scope};
    for (std::size_t count = in.array(); count > 0 && in.status(); --count) {
        in.require(in.array() == 2);
        const std::string_view path = in.text();
        const auto methods = static_cast<std::uint32_t>(in.uint());
        if (path.size() < 4 || path[0] != '/' || path[2] != '/') continue;
        for (std::size_t i = 0; i < kKindLetters.size(); ++i) {
            const auto kind = static_cast<ResourceKind>(i);
            if (path[1] != kKindLetters[i] || (methods & method_bit(path[1])) == 0) continue;
            Traits traits;
            const bool is_found = resources.find(kind, {&path[3], path.size() - 3}, traits);
            if (is_found && traits.index < kGrantable) permissions.bits[i] |= 1U << traits.index;
        }
    }
    return in.finish();
}

}  // namespace sotto::session
