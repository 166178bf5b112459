// SPDX-License-Identifier: Apache-2.0
#include "core/edhoc/role.hpp"

namespace sotto::edhoc {

EphemeralKey EphemeralKey::from(crypto::DhPrivateKey private_key) {
    const crypto::DhPublicKey public_key = crypto::dh_public(private_key);
    return {std::move(private_key), public_key};
}

Status read_claim(
    Bytes plaintext, cbor::Reader& in, std::size_t mac_size, EadLabels understood, Claim& claim) {
    claim.id_cred = cose::IdCred::read_compact(in);
    claim.mac = in.bytes();
    // RFC 9528 §9.8: abort "if any cryptographic field has the wrong length".
    in.require(claim.mac.size() == mac_size);
    claim.ead = Ead::read(in, understood);
    claim.plaintext = plaintext;
    return in.status();
}

Status check_credential(const Identity& identity,
                        const Claim& claim,
                        const cose::Credential& credential) {
    if (credential == identity.credential) return Error::Refused;
    // A credential given by value speaks for itself and for no stored one.
    const bool is_by_value = claim.id_cred.form() == cose::CredentialForm::Value;
    if (is_by_value && !claim.id_cred.matches(credential)) return Error::InvalidArgument;
    return {};
}

}  // namespace sotto::edhoc
