// SPDX-License-Identifier: Apache-2.0
// Who may do what: what the cloud remembers of users, their tokens, their open devices, and of what
// was done with them. Records own their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cloud/model/records.hpp"

namespace sotto::cloud::model {

// What a token lets its bearer do, one bit each.
enum class Scope : std::uint32_t {
    DevicesRead = 1U << 0U,
    VariablesRead = 1U << 1U,
    FunctionsCall = 1U << 2U,
    DevicesUpdate = 1U << 3U,  // name, ping, signal
    DevicesClaim = 1U << 4U,   // claim, release, claim codes, keys
    EventsRead = 1U << 5U,
    EventsSend = 1U << 6U,
    User = 1U << 7U,  // the account itself and its tokens
    Integrations = 1U << 8U,
    Firmware = 1U << 9U,   // of products: upload, release
    Products = 1U << 10U,  // products themselves, their lists of devices, their groups
    Users = 1U << 11U,     // of an administrator: the accounts of others
    Environment = 1U << 12U,
};
using Scopes = std::uint32_t;
inline constexpr Scopes kAllScopes = 0x1fff;
constexpr bool has_scope(Scopes scopes, Scope scope) {
    return (scopes & static_cast<Scopes>(scope)) != 0;
}

// Whom a good token stands for.
struct Access {
    AccountId account;
    std::string user;  // name of the account
    TokenKind kind = TokenKind::Access;
    std::string client;
    Scopes scopes = 0;
    std::optional<Instant> expires_at;
    bool is_administrator = false;
    std::uint16_t product = 0;  // the only one that it reaches; 0: it is no ApiUser's
    friend bool operator==(const Access&, const Access&) = default;
};

// What is told of a token that is known by its hash only.
struct TokenInfo {
    TokenHash hash;
    TokenKind kind = TokenKind::Access;
    std::string name;
    std::string client;
    Scopes scopes = 0;
    Instant created_at;
    std::optional<Instant> expires_at;
    friend bool operator==(const TokenInfo&, const TokenInfo&) = default;
};

struct Login {
    AccountId account;
    std::string password;  // as ports/openssl/password.hpp makes it; empty: there is none
    // Of one-time passwords (RFC 6238); empty: none is asked for.
    std::vector<std::uint8_t> otp_secret{};
    bool is_disabled = false;  // nobody logs in as this user
    friend bool operator==(const Login&, const Login&) = default;
};

// A code that a device shows to belong to an account, known by its hash.
struct OpenClaim {
    TokenHash hash;
    AccountId account;
    Instant expires_at;
};

// What its connections have told of an open device.
struct DeviceTraces {
    Instant heard_at{};
    Instant connected_at{};
    std::string address{};
    std::uint16_t platform_id = 0;
    std::uint16_t product_id = 0;
    std::uint16_t firmware_version = 0;
    std::string system_version{};
    friend bool operator==(const DeviceTraces&, const DeviceTraces&) = default;
};

// An open device that somebody owns.
struct OpenDeviceRecord {
    DeviceId device{};
    AccountId account;
    std::string name;
    std::string notes;
    Instant claimed_at;
    DeviceTraces traces;
    friend bool operator==(const OpenDeviceRecord&, const OpenDeviceRecord&) = default;
};

struct DeviceChanges {
    std::optional<std::string> name{};
    std::optional<std::string> notes{};
};

// What the owner of a sealed device has opened to the cloud. The device decides by the token, which
// is for the cloud's key as a guest; the scope says the same, for those who ask the cloud.
struct Opening {
    DeviceId device{};
    AccountId account{};
    std::string name{};
    std::vector<std::uint8_t> token{};
    std::string scope{};          // "f/NAME,v/NAME,e/NAME"
    CredentialHash credential{};  // of the device, as it is registered
    friend bool operator==(const Opening&, const Opening&) = default;
};

// An integration of a user: a webhook. What it is, its definition says in JSON, which nobody here
// looks at; it may hold secrets of the user.
struct HookRecord {
    HookId id{};
    AccountId account{};
    std::string definition{};
    Instant created_at{};
    Instant updated_at{};
    std::uint16_t product = 0;  // 0: of none, that is of all events of the account
    friend bool operator==(const HookRecord&, const HookRecord&) = default;
};

// One line of the audit log. Never a secret, never content.
struct AuditEntry {
    Instant at;
    std::optional<AccountId> account{};  // none: of nobody that is known
    std::string address;                 // where it came from
    std::string action;                  // "login", "device-claim", ...
    std::string subject;                 // what it was about
    std::string outcome;                 // "done", or why not
    friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

// What a legacy device is known by.
struct DeviceKey {
    DeviceId device{};
    std::vector<std::uint8_t> key{};  // SubjectPublicKeyInfo, DER
    Instant stored_at;
    friend bool operator==(const DeviceKey&, const DeviceKey&) = default;
};

// What is to be known of an open device that comes.
struct KnownDevice {
    std::optional<std::vector<std::uint8_t>> key{};  // of a legacy device: as in DeviceKey
    std::optional<AccountId> owner{};
    friend bool operator==(const KnownDevice&, const KnownDevice&) = default;
};

}  // namespace sotto::cloud::model
