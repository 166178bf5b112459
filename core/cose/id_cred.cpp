// SPDX-License-Identifier: Apache-2.0
#include "core/cose/id_cred.hpp"

#include "core/cose/algorithm.hpp"
#include "core/cose/identifier.hpp"

namespace sotto::cose {
namespace {

constexpr std::uint8_t kMapOfOne = 0xa1;
constexpr std::size_t kKccsHeadSize = 2;  // of {14: CCS}: the map's head and its key

}  // namespace

IdCred IdCred::of(const Credential& credential, CredentialForm form) {
    return {form, form == CredentialForm::Kid ? credential.kid() : credential.bytes()};
}

Result<IdCred> IdCred::read_compact(cbor::Reader& in) {
    SOTTO_TRY_ASSIGN(const cbor::Kind kind, in.peek());
    if (kind != cbor::Kind::Map) {
        SOTTO_TRY_ASSIGN(const Bytes kid, read_identifier(in));
        if (kid.size() > 0xff) return Error::TooLarge;
        return IdCred{CredentialForm::Kid, kid};
    }
    const Bytes map = in.rest();
    // RFC 9528 §3.5.3.2: {4: kid} is compact "if and only if" it stands in a plaintext, so that a
    // kid alone never comes as a map. The other forms of {14: CCS} are not deterministic.
    if (map[0] != kMapOfOne) return Error::Unsupported;
    if (map.size() <= kKccsHeadSize) return Error::Truncated;
    if (map[1] == kHeaderKid) return Error::Malformed;
    if (map[1] != kHeaderKccs) return Error::Unsupported;
    if (map[2] >> 5 != static_cast<std::uint8_t>(cbor::Kind::Map)) return Error::Malformed;
    // A CCS need not be deterministic CBOR: it is taken as it is, and only has to be well-formed,
    // to the depth that Credential::parse takes.
    cbor::Reader value{map.subspan(kKccsHeadSize), cbor::Rules::WellFormed};
    SOTTO_TRY_ASSIGN(const Bytes ccs, value.skip());
    in = cbor::Reader{value.rest()};
    return IdCred{CredentialForm::Value, ccs};
}

void IdCred::write_compact(cbor::Writer& out) const {
    if (form_ == CredentialForm::Kid) {
        write_identifier(out, body_);
    } else {
        out.raw(head()).raw(body_);
    }
}

FixedBytes<IdCred::kHeadSizeMax> IdCred::head() const {
    std::array<std::uint8_t, kHeadSizeMax> buffer{kMapOfOne, kHeaderKccs};
    cbor::Writer rest{MutBytes{buffer}.subspan(2)};
    if (form_ == CredentialForm::Kid) {
        buffer[1] = kHeaderKid;
        rest.head(cbor::Kind::Bytes, body_.size());
    }
    return FixedBytes<kHeadSizeMax>{Bytes{buffer}.first(2 + rest.size())};
}

Result<Bytes> IdCred::encode(MutBytes out) const {
    return cbor::Writer{out}.raw(head()).raw(body_).finish();
}

bool IdCred::matches(const Credential& credential) const {
    return equal(body_, of(credential, form_).body_);
}

}  // namespace sotto::cose
