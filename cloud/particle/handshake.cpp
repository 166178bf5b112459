// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/handshake.hpp"

#include <algorithm>
#include <utility>

#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

namespace {

// RFC 8017 §7.2.1: 00 02, at least eight bytes that are not zero, 00, the message.
constexpr std::size_t kPaddingSizeMin = 11;
constexpr std::size_t kMessageSizeMin = kNonceSize + model::kDeviceIdSize;
using Block = std::array<std::uint8_t, kServerModulusSize>;

// 0xff where a is zero, else 0.
std::uint8_t mask_of_zero(std::uint32_t a) {
    return static_cast<std::uint8_t>(((a | (0U - a)) >> 31) - 1U);
}
// 0xffffffff where a < b, for what is below 2^31.
std::uint32_t mask_of_less(std::uint32_t a, std::uint32_t b) { return 0U - ((a - b) >> 31); }

// Moves the last bytes to the front, `shift` of them are dropped: by each bit of it in turn, so
// that neither addresses nor time say which.
void shift_left(Block& block, std::uint32_t shift) {
    for (std::uint32_t step = 1; step < block.size(); step <<= 1) {
        const auto mask = static_cast<std::uint8_t>(~mask_of_zero(shift & step));
        for (std::size_t i = 0; i < block.size(); ++i) {
            const std::uint8_t moved = i + step < block.size() ? block[i + step] : 0;
            block[i] = static_cast<std::uint8_t>((block[i] & ~mask) | (moved & mask));
        }
    }
}

// Puts the message to the front of the block. Its size, and no reason if it is not right.
struct Opened {
    std::uint32_t size = 0;
    std::uint8_t is_right = 0;  // 0xff or 0
};
Opened remove_padding(Block& block) {
    std::uint8_t is_right = mask_of_zero(block[0]) & mask_of_zero(block[1] ^ 2U);
    std::uint32_t end = 0;  // of the padding: the first zero
    std::uint8_t is_found = 0;
    for (std::uint32_t i = 2; i < block.size(); ++i) {
        const std::uint8_t is_zero = mask_of_zero(block[i]);
        const std::uint32_t take = 0U - static_cast<std::uint32_t>(is_zero & ~is_found & 1);
        end |= i & take;
        is_found |= is_zero;
    }
    is_right &= is_found;
    const std::uint32_t begin = end + 1;
    is_right &= static_cast<std::uint8_t>(~mask_of_less(begin, kPaddingSizeMin));
    const auto size = static_cast<std::uint32_t>(block.size()) - begin;
    is_right &= static_cast<std::uint8_t>(~mask_of_less(size, kMessageSizeMin));
    shift_left(block, begin & 0xffU);
    return {.size = size, .is_right = is_right};
}

std::uint8_t mask_of_equal(Bytes a, Bytes b) {
    std::uint8_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= a[i] ^ b[i];
    return mask_of_zero(difference);
}

// RFC 8017 §9.2 without the DigestInfo: what this protocol signs is the bare MAC.
Block pad_for_signature(BytesN<kMacSize> mac) {
    Block block;
    block.fill(0xff);
    block[0] = 0;
    block[1] = 1;
    block[block.size() - mac.size() - 1] = 0;
    std::copy(mac.begin(), mac.end(), block.end() - mac.size());
    return block;
}

}  // namespace

Result<Introduction> open_key_message(HandshakeCrypto& crypto, const KeyMessage& message) {
    Scratch<kServerModulusSize> scratch;
    if (!crypto.private_operation(message.sealed, scratch.bytes())) return Error::Unauthenticated;
    Block block;
    std::copy(scratch.bytes().begin(), scratch.bytes().end(), block.begin());
    const Opened opened = remove_padding(block);
    const std::uint8_t is_right =
        opened.is_right & mask_of_equal(message.nonce, Bytes{block}.first(kNonceSize));
    if (is_right == 0) return Error::Unauthenticated;
    const Bytes rest = Bytes{block}.first(opened.size).subspan(kNonceSize);
    Introduction introduction;
    std::copy_n(rest.begin(), model::kDeviceIdSize, introduction.device.begin());
    const Bytes key = rest.subspan(model::kDeviceIdSize);
    introduction.reported_key.assign(key.begin(), key.end());
    return introduction;
}

Result<Agreement> agree(HandshakeCrypto& crypto, Bytes device_key) {
    Result<Agreement> made{std::in_place};
    SOTTO_TRY(crypto.fill_random(made->credentials.fill()));
    const auto sealed = MutBytes{made->message}.first<kDeviceModulusSize>();
    SOTTO_TRY(crypto.encrypt_for_device(device_key, made->credentials.expose(), sealed));
    std::array<std::uint8_t, kMacSize> mac{};
    crypto.hmac_sha1(made->credentials.expose(), sealed, mac);
    SOTTO_TRY(crypto.private_operation(pad_for_signature(mac),
                                       MutBytes{made->message}.last<kServerModulusSize>()));
    return made;
}

void Handshake::receive(Bytes bytes, Instant now) {
    if (bytes.empty()) return;
    if (stage_ != Stage::Reading || bytes.size() > sealed_.size() - size_) {
        if (stage_ == Stage::Reading) read_at_ = now;
        return refuse();
    }
    std::copy(bytes.begin(), bytes.end(), sealed_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
    if (size_ < sealed_.size()) return;
    read_at_ = now;
    stage_ = Stage::Answering;
}

void Handshake::on_answered(const Status& status) {
    if (stage_ != Stage::Answering || !status) return refuse();
    stage_ = Stage::Done;
}

bool Handshake::is_over(Instant now) const {
    if (stage_ == Stage::Refused) return now - read_at_ >= kRefusalTime;
    return stage_ != Stage::Done && now - begun_at_ >= kKeyMessageTime;
}

}  // namespace sotto::cloud::particle
