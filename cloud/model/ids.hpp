// SPDX-License-Identifier: Apache-2.0
// The names of things the cloud knows. No allocation; plain values.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/strong.hpp"

namespace sotto::cloud::model {

// Bytes that name something, so that two kinds of names cannot be swapped.
template <std::size_t N, class Tag>
struct Id {
    static constexpr std::size_t kSize = N;
    std::array<std::uint8_t, N> bytes{};

    // Error::Malformed if there are not exactly N bytes.
    static Result<Id> from(Bytes view) {
        if (view.size() != N) return Error::Malformed;
        Id id;
        std::copy(view.begin(), view.end(), id.bytes.begin());
        return id;
    }
    friend auto operator<=>(const Id&, const Id&) = default;
};

inline constexpr std::size_t kDeviceIdSize = 12;

// The first 12 bytes of a credential's hash: a name, and never enough to authorise.
using DeviceId = std::array<std::uint8_t, kDeviceIdSize>;
// SHA-256 of a credential, all of it.
using CredentialHash = std::array<std::uint8_t, 32>;

// An installation of an app; unique within its account only.
using AppId = Id<16, struct AppIdTag>;
// SHA-256 of a token. The cloud stores no token.
using TokenHash = Id<32, struct TokenHashTag>;
// What the owner's app hands to a device so that it joins the account: single use.
using ClaimCode = Id<16, struct ClaimCodeTag>;

// An integration of a user.
using HookId = Id<12, struct HookIdTag>;

using AccountId = Strong<std::int64_t, struct AccountIdTag>;
// The place of a message in the mailboxes; rises and is never used again.
using Sequence = Strong<std::uint64_t, struct LetterSequenceTag>;

// Stands for one app at one device, on the device's side of the relay.
using Label = Strong<std::uint16_t, struct DeviceLabelTag>;
inline constexpr Label kLabelCloud{1};     // the cloud's own session
inline constexpr Label kLabelAppFirst{2};  // the first one given to an app

// The number to try after `label`: they go round, so that a label that is free again rests long.
constexpr Label next_label(Label label) {
    return label.value() == 0xffff ? kLabelAppFirst
                                   : Label{static_cast<std::uint16_t>(label.value() + 1)};
}

// Whom the cloud knows as an app: nobody can take an installation id of another account.
struct AppAddress {
    AccountId account;
    AppId app;
    friend auto operator<=>(const AppAddress&, const AppAddress&) = default;
};

// For unordered containers.
struct IdHash {
    std::size_t operator()(const DeviceId& id) const { return mix(Bytes{id}); }
    template <std::size_t N, class Tag>
    std::size_t operator()(const Id<N, Tag>& id) const {
        return mix(Bytes{id.bytes});
    }
    std::size_t operator()(const AppAddress& address) const {
        return mix(Bytes{address.app.bytes}) * 31 +
               static_cast<std::size_t>(address.account.value());
    }
    template <class T, class Tag>
    std::size_t operator()(const Strong<T, Tag>& number) const {
        return std::hash<T>{}(number.value());
    }

  private:
    // FNV-1a. Peers choose these bytes, and every table that uses them is bounded.
    static std::size_t mix(Bytes bytes) {
        std::uint64_t hash = 0xcbf29ce484222325;
        for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
        return static_cast<std::size_t>(hash);
    }
};

}  // namespace sotto::cloud::model
