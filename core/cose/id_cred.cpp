// SPDX-License-Identifier: Apache-2.0
#include "core/cose/id_cred.hpp"

#include "core/cose/algorithm.hpp"
#include "core/cose/identifier.hpp"

namespace sotto::cose {
namespace {

constexpr std::uint8_t kMapOfOne = 0xa1;

}  // namespace

IdCred IdCred::of(const Credential& credential, CredentialForm form) {
    return {form, form == CredentialForm::Kid ? credential.kid() : credential.bytes()};
}

IdCred IdCred::read_compact(cbor::Reader& in) {
    if (!in.next_is(cbor::Kind::Map)) {
        const Bytes kid = read_identifier(in);
        in.require(kid.size() <= 0xff, Error::TooLarge);
        return {CredentialForm::Kid, kid};
    }
    in.require(in.map() == 1, Error::Unsupported);
    const std::int64_t parameter = in.integer();
    // RFC 9528 §3.5.3.2: {4: kid} is compact "if and only if" it stands in a plaintext, so that a
    // kid alone never comes as a map.
    in.require(parameter != kHeaderKid);
    in.require(parameter == kHeaderKccs, Error::Unsupported);
    in.require(in.empty() || in.next_is(cbor::Kind::Map));
    // A CCS need not be deterministic CBOR: it is taken as it is, and only has to be well-formed,
    // to the depth that Credential::parse takes.
    return {CredentialForm::Value, in.skip(cbor::Rules::WellFormed)};
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
