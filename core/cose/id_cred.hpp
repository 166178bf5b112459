// SPDX-License-Identifier: Apache-2.0
// ID_CRED_x: how a message names the credential of its sender (RFC 9528 §3.5.3). No allocation; a
// view into bytes of the caller.
#pragma once

#include "core/base/fixed_vector.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/credential.hpp"

namespace sotto::cose {

// How we name our own credential to a peer.
enum class CredentialForm : std::uint8_t {
    Kid,    // {4: kid}: the peer must know the credential
    Value,  // {14: CCS}: the credential itself
};

class IdCred {
  public:
    IdCred() = default;  // of nobody
    static IdCred of(const Credential& credential, CredentialForm form);

    static constexpr std::size_t kHeadSizeMax = 4;

    // From the plaintext of a message, where {4: kid} is compact (§3.5.3.2). Fails with
    // Error::Unsupported for other header parameters, Error::TooLarge for a kid of over 255 bytes.
    static IdCred read_compact(cbor::Reader& in);
    // To the plaintext of a message.
    void write_compact(cbor::Writer& out) const;

    CredentialForm form() const { return form_; }
    // The kid, or the CCS.
    Bytes body() const { return body_; }

    // ID_CRED_x as a header map, as it enters MAC contexts, is head() followed by body().
    FixedBytes<kHeadSizeMax> head() const;
    // Both together. Error::NoSpace.
    Result<Bytes> encode(MutBytes out) const;

    // Whether this may mean `credential`: same kid, or same CCS. Equal kids don't make equal keys.
    bool matches(const Credential& credential) const;

  private:
    IdCred(CredentialForm form, Bytes body) : form_(form), body_(body) {}

    CredentialForm form_ = CredentialForm::Kid;
    Bytes body_;
};

}  // namespace sotto::cose
