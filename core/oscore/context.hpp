// SPDX-License-Identifier: Apache-2.0
// The OSCORE Security Context (RFC 8613 §3), as far as it is fixed: keys, Common IV and ids for
// AES-CCM-16-64-128 and HKDF SHA-256. Sequence numbers and the replay window are kept by whoever
// stores them. No allocation; wiped with the object.
#pragma once

#include <array>
#include <optional>

#include "core/base/fixed_vector.hpp"
#include "core/base/strong.hpp"
#include "core/crypto/aead.hpp"

namespace sotto::oscore {

inline constexpr std::size_t kIdSizeMax = crypto::kNonceSize - 6;  // RFC 8613 §3.3
inline constexpr std::size_t kPivSizeMax = 5;
inline constexpr std::uint64_t kPivMax = (std::uint64_t{1} << 40) - 1;  // RFC 8613 §7.2.1
inline constexpr std::size_t kTagSize = 8;
inline constexpr std::size_t kIdContextSizeMax = 64;  // a choice of ours

// A Sender Sequence Number or, in a message, a Partial IV.
using Piv = Strong<std::uint64_t, struct PivTag>;
using CommonIv = crypto::CommonIv;
using Id = FixedBytes<kIdSizeMax>;

// A context, wherever its parts are kept. Borrows all of them.
struct ContextView {
    const crypto::AeadKey& sender_key;
    const crypto::AeadKey& recipient_key;
    const CommonIv& common_iv;
    Bytes sender_id;
    Bytes recipient_id;
};

struct Context {
    crypto::AeadKey sender_key;
    crypto::AeadKey recipient_key;
    CommonIv common_iv;
    Id sender_id;
    Id recipient_id;

    operator ContextView() const {  // NOLINT(google-explicit-constructor): the same, borrowed
        return {sender_key, recipient_key, common_iv, sender_id, recipient_id};
    }
};
static_assert(sizeof(Context) <= 64);

struct ContextInput {
    Bytes master_secret;
    Bytes master_salt;
    Bytes sender_id;
    Bytes recipient_id;
    std::optional<Bytes> id_context = std::nullopt;
};

// RFC 8613 §3.2.1. Error::TooLarge if an id is over kIdSizeMax bytes or the ID Context over its
// limit, Error::InvalidArgument if the ids are equal (§3.3: the nonces would be too).
Result<Context> derive_context(const ContextInput& input);
// The same, into keys that are kept elsewhere.
struct ContextKeys {
    crypto::AeadKey& sender_key;
    crypto::AeadKey& recipient_key;
    CommonIv& common_iv;
};
Status derive_keys(const ContextInput& input, const ContextKeys& keys);

// The info that makes one derivation differ from another (§3.2.1): `id` is empty for the Common IV,
// type is "Key" or "IV", output_size what is derived.
struct Info {
    Bytes id;
    std::optional<Bytes> id_context;
    std::string_view type = "Key";
    std::size_t output_size = 0;
};
inline constexpr std::size_t kInfoSizeMax =
    1 + (1 + kIdSizeMax) + (2 + kIdContextSizeMax) + 1 + 4 + 1;
// Precondition: the ID Context is within its limit.
Bytes encode_info(const Info& info, MutBytesN<kInfoSizeMax> out);

// The nonce for a message whose Partial IV was made by the endpoint of this Sender ID (§5.2).
// Precondition: piv has 1 to kPivSizeMax bytes.
crypto::Nonce make_nonce(const CommonIv& common_iv, Bytes id_piv, Bytes piv);

// A Partial IV in the fewest bytes, at least one (§6.1). Precondition: piv <= kPivMax.
FixedBytes<kPivSizeMax> encode_piv(Piv piv);
// And back. Precondition: piv.size() <= kPivSizeMax.
Piv decode_piv(Bytes piv);

}  // namespace sotto::oscore
