// SPDX-License-Identifier: Apache-2.0
// What the cloud remembers. Records own their bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cloud/model/ids.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::model {

// Instants in the cloud count from 1970, so that stored ones outlive the process.

// Account and Gateway are the operator's; Access and Refresh are given to a user's program, ApiUser
// to one that a user has made for a product.
enum class TokenKind : std::uint8_t {
    Account = 1,
    Gateway = 2,
    Access = 3,
    Refresh = 4,
    ApiUser = 5,
};

struct Token {
    TokenHash hash;
    TokenKind kind = TokenKind::Account;
    AccountId account;
    std::string name;
    std::string client{};           // the program it was given to
    std::uint32_t scopes = 0x1fff;  // what it is good for (accounts.hpp)
    std::optional<Instant> expires_at{};
    std::uint16_t product = 0;  // of an ApiUser: the only one that it reaches
};

// Who holds a token that was found.
struct TokenHolder {
    AccountId account;
    std::string name;
    friend bool operator==(const TokenHolder&, const TokenHolder&) = default;
};

// A device that proved its key here and belongs to an account.
struct Registration {
    DeviceId device{};
    CredentialHash credential{};
    AccountId account;
    Instant registered_at;
    friend bool operator==(const Registration&, const Registration&) = default;
};

struct LabelEntry {
    Label label;
    AppAddress app;
    friend bool operator==(const LabelEntry&, const LabelEntry&) = default;
};

// Everything about a device that routing needs.
struct DeviceRecord {
    std::optional<Registration> registration;
    std::vector<LabelEntry> labels;
};

struct Claim {
    ClaimCode code;
    AccountId account;
    Instant expires_at;
};

enum class MailboxKind : std::uint8_t { Device = 1, App = 2 };

// What a letter says: a message, or what became of one that could not be handed on.
enum class LetterKind : std::uint8_t { Message = 0, Expired = 1, Dropped = 2 };

// A message that waits. In an app's mailbox `device` is the sender and `app` the recipient; in a
// device's mailbox it is the other way round.
struct Letter {
    MailboxKind to = MailboxKind::Device;
    DeviceId device{};
    AppAddress app;
    Instant stored_at;
    Instant expires_at;
    std::vector<std::uint8_t> message;  // empty if it is none
    std::uint32_t reference = 0;        // the sender's, who is an app; in a notice: of that message
    LetterKind kind = LetterKind::Message;
    friend bool operator==(const Letter&, const Letter&) = default;
};

struct StoredLetter {
    Sequence sequence;
    Letter letter;
    friend bool operator==(const StoredLetter&, const StoredLetter&) = default;
};

// Names one mailbox.
struct Mailbox {
    MailboxKind kind = MailboxKind::Device;
    DeviceId device{};  // with MailboxKind::Device
    AppAddress app{};   // with MailboxKind::App

    static Mailbox of_device(const DeviceId& device) {
        return {.kind = MailboxKind::Device, .device = device};
    }
    static Mailbox of_app(const AppAddress& app) { return {.kind = MailboxKind::App, .app = app}; }
    static Mailbox of(const Letter& letter) {
        return letter.to == MailboxKind::Device ? of_device(letter.device) : of_app(letter.app);
    }
    friend auto operator<=>(const Mailbox&, const Mailbox&) = default;
};

// How much one mailbox, or all mailboxes of one account, may hold.
struct MailboxLimits {
    std::size_t count_max = 0;
    std::size_t bytes_max = 0;
};

// What the erasing of expired letters has done.
struct Purged {
    std::size_t count = 0;         // letters erased
    std::vector<AppAddress> told;  // apps with a new notice in their mailboxes
};

}  // namespace sotto::cloud::model
