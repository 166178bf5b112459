// SPDX-License-Identifier: Apache-2.0
// A context and an identity for the fuzz targets of this folder. Not part of the library.
#pragma once

#include "core/cose/credential.hpp"
#include "core/keystore/private_key.hpp"
#include "core/oscore/context.hpp"
#include "testing/seeded_entropy.hpp"

namespace sotto::session {

inline oscore::Context context(std::string_view sender_id, std::string_view recipient_id) {
    return *oscore::derive_context({.master_secret = as_bytes("a secret of the fuzzer"),
                                    .master_salt = {},
                                    .sender_id = as_bytes(sender_id),
                                    .recipient_id = as_bytes(recipient_id)});
}

// Made once: elliptic curves are slow under sanitizers.
struct Self {
    crypto::DhPrivateKey key = [] {
        testing::SeededEntropy entropy{2};
        return *keystore::draw_private_key(entropy);
    }();
    cose::Credential credential = *cose::Credential::create("device", crypto::dh_public(key));
};

inline const Self& self() {
    static const Self self;
    return self;
}

}  // namespace sotto::session
