// SPDX-License-Identifier: Apache-2.0
// What device and app keep on hal::Storage, and its format (docs/formats/records.md). Every record
// is one atomic write; the order of writes that makes several records agree is told beside each.
// No allocation; secrets are wiped with their structs.
#pragma once

#include <array>

#include "core/base/fixed_vector.hpp"
#include "core/crypto/aead.hpp"
#include "core/crypto/dh.hpp"
#include "core/crypto/hash.hpp"
#include "core/hal/storage.hpp"
#include "core/keystore/limits.hpp"

namespace sotto::keystore {

inline constexpr std::size_t kCredentialSizeMax = 192;  // a CCS, ours or a foreign one
inline constexpr std::size_t kConnectionIdSizeMax = 7;  // RFC 8613 §3.3: nonce size - 6
inline constexpr std::size_t kPairingSecretSize = 16;
inline constexpr std::size_t kAddressSizeMax = 64;
inline constexpr std::size_t kClaimSize = 16;
inline constexpr std::size_t kResultSizeMax = 128;
inline constexpr std::size_t kTagSize = 4;

using CredentialBytes = FixedBytes<kCredentialSizeMax>;
using ConnectionIdBytes = FixedBytes<kConnectionIdSizeMax>;
using PairingSecret = Secret<kPairingSecretSize, struct PairingSecretTag>;
using TokenKey = Secret<32, struct TokenKeyTag>;  // K_tok
using TokenId = std::array<std::uint8_t, 4>;
using SessionTag = std::array<std::uint8_t, kTagSize>;

// The static key and credential of a device, app or cloud. Written once.
struct Identity {
    crypto::DhPrivateKey private_key;
    CredentialBytes credential;
};

enum class OwnerState : std::uint8_t {
    None = 0,
    Pending = 1,  // message_4 was or is to be sent; the owner has not used the session yet
    Owned = 2,
};

// The root of a device's trust: one record, so that owner, K_tok and secret change together.
struct DeviceRoot {
    std::uint32_t epoch = 0;       // rises with every factory reset; older sessions are void
    std::uint32_t generation = 0;  // rises with every accepted pairing
    OwnerState owner_state = OwnerState::None;
    CredentialBytes owner;  // the owner's CCS; empty without owner
    TokenKey token_key;
    PairingSecret pairing_secret;
};

// Which cloud the owner wants the device to attach to.
struct CloudRecord {
    std::uint32_t epoch = 0;
    std::uint32_t version = 0;
    FixedBytes<kAddressSizeMax> address;
    crypto::Hash credential_hash{};
    std::array<std::uint8_t, kClaimSize> claim{};
};

// A device as its owner's app knows it.
struct PeerRecord {
    bool is_paired = false;  // false: pairing has started and message_4 has not been seen
    std::uint32_t generation = 0;
    CredentialBytes credential;  // the device's CCS
    TokenKey token_key;
};

// The access tokens of one generation that the owner has revoked one by one.
struct RevokedTokens {
    struct Token {
        TokenId id{};
        std::uint32_t not_after = 0;  // after this it is void anyhow; 0: the place is free
    };
    std::uint32_t generation = 0;
    std::array<Token, kRevokedTokens> tokens{};
};

// The access token with which a guest's app comes to a device that is another's.
using TokenBytes = FixedBytes<kTokenSizeMax>;

// The keys and names of one OSCORE session. Written before its counters are used.
struct SessionKeys {
    crypto::AeadKey sender_key;
    crypto::AeadKey recipient_key;
    crypto::CommonIv common_iv;
    ConnectionIdBytes sender_id;
};
// What stands beside them in their record: whose they are.
struct SessionHead {
    std::uint32_t epoch = 0;
    std::uint8_t role = 0;
    std::uint8_t peer = 0;
    ConnectionIdBytes recipient_id;
};

// The numbers of one session, rewritten ahead of their use. The tag ties them to the keys: counters
// of other keys make the session void, so that no order of writes can reuse a nonce.
struct CounterRecord {
    SessionTag tag{};
    std::uint32_t reserved = 0;  // Partial IVs below this may have been used
    std::uint32_t floor = 0;     // 1 + the last executed Partial IV; 0: none was
    std::uint32_t age_s = 0;     // seconds since the handshake, as far as they were counted
    std::uint16_t failures = 0;
};

// The result of a session's last executed request, stored after it ran.
struct ResultRecord {
    SessionTag tag{};
    std::uint32_t piv = 0;
    std::uint8_t code = 0;
    bool has_payload = true;  // false: it was over kResultSizeMax
    FixedBytes<kResultSizeMax> payload{};
};

// Names the keys of a session, the same at both of its ends, without telling anything about them.
SessionTag session_tag(const crypto::AeadKey& one, const crypto::AeadKey& other);

// Each load: Error::NotFound if there is no such record, Error::StorageFailed if it can't be read,
// Error::Malformed if its bytes are not of this format. Where it fills a record of the caller's,
// that one is void after an error. Each store: Error::StorageFailed, NoSpace.
Status load_identity(hal::Storage& storage, Identity& identity);
Result<Identity> load_identity(hal::Storage& storage);
Status store_identity(hal::Storage& storage, const Identity& identity);
Status load_root(hal::Storage& storage, DeviceRoot& root);
Result<DeviceRoot> load_root(hal::Storage& storage);
Status store_root(hal::Storage& storage, const DeviceRoot& root);
Status load_cloud(hal::Storage& storage, CloudRecord& cloud);
Result<CloudRecord> load_cloud(hal::Storage& storage);
Status store_cloud(hal::Storage& storage, const CloudRecord& cloud);
// The cloud that is tried before it takes the place of the one above.
Status load_trial_cloud(hal::Storage& storage, CloudRecord& cloud);
Status store_trial_cloud(hal::Storage& storage, const CloudRecord& cloud);
Status erase_trial_cloud(hal::Storage& storage);
Result<PeerRecord> load_peer(hal::Storage& storage);
Status store_peer(hal::Storage& storage, const PeerRecord& peer);
Status load_revoked(hal::Storage& storage, RevokedTokens& revoked);
Status store_revoked(hal::Storage& storage, const RevokedTokens& revoked);
Status load_token(hal::Storage& storage, TokenBytes& token);
Status store_token(hal::Storage& storage, const TokenBytes& token);
Status erase_token(hal::Storage& storage);
Status load_result(hal::Storage& storage, std::uint8_t slot, ResultRecord& result);
Result<ResultRecord> load_result(hal::Storage& storage, std::uint8_t slot);
Status store_result(hal::Storage& storage, std::uint8_t slot, const ResultRecord& result);

struct StoredSession {
    SessionHead head;
    SessionKeys keys;
    CounterRecord counters;
};

// The same, wherever its parts are kept. Borrows all of them.
struct SessionParts {
    SessionHead& head;
    SessionKeys& keys;
    CounterRecord& counters;
};

// A session with its counters. Error::NotFound also if the counters are those of other keys: the
// records were caught between two writes and are void.
Status load_session(hal::Storage& storage, std::uint8_t slot, const SessionParts& session);
Result<StoredSession> load_session(hal::Storage& storage, std::uint8_t slot);

// Puts a new session in a slot: the old one is erased first, so that at no moment old keys stand
// beside new counters.
Status store_session(hal::Storage& storage, std::uint8_t slot, const SessionParts& session);
Status store_session(hal::Storage& storage, std::uint8_t slot, const StoredSession& session);
Status store_counters(hal::Storage& storage, std::uint8_t slot, const CounterRecord& counters);
Status load_counters(hal::Storage& storage, std::uint8_t slot, CounterRecord& counters);
Result<CounterRecord> load_counters(hal::Storage& storage, std::uint8_t slot);
Status erase_session(hal::Storage& storage, std::uint8_t slot);

}  // namespace sotto::keystore
