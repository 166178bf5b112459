// SPDX-License-Identifier: Apache-2.0
// Any bytes as a credential and as an ID_CRED_x: no crash, and what is taken comes out again.
#include "core/cose/credential.hpp"
#include "core/cose/id_cred.hpp"

using sotto::Bytes;
using sotto::cose::Credential;
using sotto::cose::CredentialForm;
using sotto::cose::IdCred;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    if (const auto credential = Credential::parse(input)) {
        SOTTO_ASSERT(sotto::equal(credential->bytes(), input));
        SOTTO_ASSERT(*Credential::parse(credential->bytes()) == *credential);
        for (const auto form : {CredentialForm::Kid, CredentialForm::Value}) {
            std::array<std::uint8_t, 256> buffer{};
            sotto::cbor::Writer out{buffer};
            IdCred::of(*credential, form).write_compact(out);
            sotto::cbor::Reader in{*out.finish()};
            SOTTO_ASSERT(IdCred::read_compact(in).matches(*credential));
        }
    }
    sotto::cbor::Reader in{input};
    const IdCred id_cred = IdCred::read_compact(in);
    if (in.status()) {
        std::array<std::uint8_t, 4096> buffer{};
        sotto::cbor::Writer out{buffer};
        id_cred.write_compact(out);
        const auto written = out.finish();
        SOTTO_ASSERT(!written || sotto::equal(*written, input.first(size - in.rest().size())));
    }
    return 0;
}
