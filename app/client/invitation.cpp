// SPDX-License-Identifier: Apache-2.0
#include "app/client/invitation.hpp"

#include <algorithm>
#include <array>

#include "core/base/base32.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/credential.hpp"
#include "core/framing/text.hpp"

namespace sotto::app {
namespace {

constexpr std::string_view kKey = "SOTTO:K";
constexpr std::string_view kInvitation = "SOTTO:I";
constexpr std::size_t kBytesMax = keystore::kCredentialSizeMax + keystore::kTokenSizeMax +
                                  kInvitedNameSizeMax + 7 + 1 + session::kTagKeySize;

bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string encode(std::string_view prefix, Bytes bytes) {
    std::string digits(base32_size(bytes.size()), '\0');
    (void)encode_base32(bytes, digits);
    return std::string{prefix} + digits;
}

// What stands behind the prefix, at the front of `out`. Lines that a mail has broken are whole.
Result<Bytes> decode(std::string_view prefix, std::string_view text, MutBytes out) {
    std::string digits{text};
    std::erase_if(digits, is_white_space);
    std::ranges::transform(digits, digits.begin(), upper);
    if (!digits.starts_with(prefix)) return Error::Malformed;
    const auto bytes = decode_base32(std::string_view{digits}.substr(prefix.size()), out);
    return bytes ? bytes : Error::Malformed;
}

template <std::size_t N>
void read_into(cbor::Reader& in, FixedBytes<N>& field) {
    const Bytes bytes = in.bytes();
    in.require(!bytes.empty() && bytes.size() <= N);
    if (in.status()) field.assign(bytes);
}

}  // namespace

std::string encode_key(const crypto::Hash& credential_hash) {
    return encode(kKey, credential_hash);
}

Result<crypto::Hash> parse_key(std::string_view text) {
    crypto::Hash hash{};
    SOTTO_TRY_ASSIGN(const Bytes bytes, decode(kKey, text, hash));
    if (bytes.size() != hash.size()) return Error::Malformed;
    return hash;
}

std::string encode_invitation(const Invitation& invitation) {
    Scratch<kBytesMax> buffer;
    cbor::Writer writer{buffer.bytes()};
    writer.array(invitation.tag_key ? 4 : 3);
    writer.bytes(invitation.device).bytes(invitation.token).text(invitation.name);
    if (invitation.tag_key) writer.bytes(invitation.tag_key->expose());
    const auto bytes = writer.finish();
    SOTTO_ASSERT(bytes.has_value());
    return encode(kInvitation, *bytes);
}

Result<Invitation> parse_invitation(std::string_view text) {
    Scratch<kBytesMax> buffer;
    SOTTO_TRY_ASSIGN(const Bytes bytes, decode(kInvitation, text, buffer.bytes()));
    Invitation invitation;
    cbor::Reader in{bytes};
    const auto count = in.array();
    in.require(count == 3 || count == 4);
    read_into(in, invitation.device);
    read_into(in, invitation.token);
    invitation.name = in.text();
    if (count == 4) {
        const Bytes key = in.bytes();
        in.require(key.size() == session::kTagKeySize);
        if (in.status()) invitation.tag_key.emplace(key.first<session::kTagKeySize>());
    }
    if (!in.finish() || !cose::Credential::parse(invitation.device) ||
        invitation.name.size() > kInvitedNameSizeMax ||
        !framing::is_printable_utf8(invitation.name))
        return Error::Malformed;
    return invitation;
}

}  // namespace sotto::app
