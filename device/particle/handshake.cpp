// SPDX-License-Identifier: Apache-2.0
#include "device/particle/handshake.hpp"

namespace sotto::device::particle {

namespace {

constexpr std::size_t kIntroductionSize = kNonceSize + kDeviceIdSize + kDeviceKeySize;
constexpr std::size_t kPaddingSizeMin = 8;
static_assert(kIntroductionSize + kPaddingSizeMin + 3 <= kServerModulusSize);

// Random bytes of which none is zero.
Status fill_padding(Crypto& crypto, MutBytes padding) {
    SOTTO_TRY(crypto.fill_random(padding));
    for (std::uint8_t& byte : padding) {
        while (byte == 0) SOTTO_TRY(crypto.fill_random(MutBytes{&byte, 1}));
    }
    return {};
}

// 1 where `byte` is zero, else 0.
std::uint32_t is_zero(std::uint32_t byte) { return (byte - 1U) >> 31; }

// RFC 8017 §7.2.1: 00 02, bytes that are not zero, 00, the message. The message has one size, so
// that each byte has its place. 1 if that is so, else 0.
std::uint32_t is_padded(BytesN<kDeviceModulusSize> block) {
    constexpr std::size_t kEnd = kDeviceModulusSize - kCredentialsSize - 1;
    std::uint32_t is_right = is_zero(block[0]) & is_zero(block[1] ^ 2U) & is_zero(block[kEnd]);
    for (std::size_t i = 2; i < kEnd; ++i) is_right &= 1U ^ is_zero(block[i]);
    return is_right;
}

// RFC 8017 §9.2 without the DigestInfo: what this protocol signs is the bare MAC.
void pad_for_signature(BytesN<kMacSize> mac, MutBytesN<kServerModulusSize> out) {
    std::fill(out.begin(), out.end(), std::uint8_t{0xff});
    out[0] = 0;
    out[1] = 1;
    out[out.size() - mac.size() - 1] = 0;
    std::copy(mac.begin(), mac.end(), out.end() - mac.size());
}

}  // namespace

Status introduce(Crypto& crypto,
                 BytesN<kNonceSize> nonce,
                 const DeviceId& id,
                 MutBytesN<kServerModulusSize> out) {
    Scratch<kServerModulusSize> scratch;
    const MutBytes block = scratch.bytes();
    const std::size_t padding_size = block.size() - 3 - kIntroductionSize;
    block[1] = 2;
    SOTTO_TRY(fill_padding(crypto, block.subspan(2, padding_size)));
    const auto key = crypto.public_key();
    auto at = block.begin() + static_cast<std::ptrdiff_t>(3 + padding_size);
    at = std::copy(nonce.begin(), nonce.end(), at);
    at = std::copy(id.begin(), id.end(), at);
    std::copy(key.begin(), key.end(), at);
    return crypto.server_operation(scratch.bytes(), out);
}

// The signature is under the credentials, so these are opened first; but whoever sends a changed
// answer learns nothing from when it is refused: all of it is always done.
Result<Credentials> open_answer(Crypto& crypto, BytesN<kAnswerSize> answer) {
    const auto sealed = answer.first<kDeviceModulusSize>();
    Scratch<kDeviceModulusSize> scratch;
    if (!crypto.private_operation(sealed, scratch.bytes())) return Error::Unauthenticated;
    const std::uint32_t is_right = is_padded(scratch.bytes());
    Credentials credentials{scratch.bytes().last<kCredentialsSize>()};
    std::array<std::uint8_t, kMacSize> mac{};
    crypto.hmac_sha1(credentials.expose(), sealed, mac);
    std::array<std::uint8_t, kServerModulusSize> expected{};
    std::array<std::uint8_t, kServerModulusSize> signature{};
    pad_for_signature(mac, expected);
    if (!crypto.server_operation(answer.last<kServerModulusSize>(), signature))
        return Error::Unauthenticated;
    const bool is_signed = ct_equal(expected, signature);
    if ((is_right & static_cast<std::uint32_t>(is_signed)) == 0) return Error::Unauthenticated;
    return credentials;
}

}  // namespace sotto::device::particle
