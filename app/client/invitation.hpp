// SPDX-License-Identifier: Apache-2.0
// What goes between a guest and an owner outside of the line, as text to be copied or scanned: the
// guest's key, and the invitation that the owner makes for it (docs/formats/invitation.md).
// Allocates; pure.
#pragma once

#include <optional>
#include <string>

#include "core/keystore/records.hpp"
#include "core/session/tag_key.hpp"

namespace sotto::app {

// "SOTTO:K" and the Base32 of the SHA-256 of a credential. It is no secret.
std::string encode_key(const crypto::Hash& credential_hash);
// Error::Malformed if the text is no key. White space around it and lower case are taken.
Result<crypto::Hash> parse_key(std::string_view text);

struct Invitation {
    keystore::CredentialBytes device;  // the device's CCS
    keystore::TokenBytes token;
    std::string name;                          // as the owner calls the device; may be empty
    std::optional<session::TagKey> tag_key{};  // by which the guest finds the device
};
inline constexpr std::size_t kInvitedNameSizeMax = 64;

// "SOTTO:I" and the Base32 of the above. It opens to the guest's key alone; who else reads it can
// tell when the device is near.
// Precondition: the name has at most kInvitedNameSizeMax bytes.
std::string encode_invitation(const Invitation& invitation);
// Error::Malformed if the text is no invitation, also for a credential that is none or a name that
// could act on a terminal; the token has not been looked at.
Result<Invitation> parse_invitation(std::string_view text);

}  // namespace sotto::app
