// SPDX-License-Identifier: Apache-2.0
// Frames of the legacy Particle protocol as a device makes and opens them: u16 size, then a message
// in AES-128-CBC with the padding of PKCS #7. The IV of a frame is the first block of the frame
// before, in that direction. Allocates in the caller's vector only; owns the key.
#pragma once

#include <array>
#include <vector>

#include "device/particle/crypto.hpp"
#include "device/particle/limits.hpp"

namespace sotto::device::particle {

inline constexpr std::size_t kSizeSize = 2;  // of the size in front of a frame

class Channel {
  public:
    explicit Channel(const Credentials& credentials);

    // Appends the frame. Precondition: the message is not larger than kMessageSizeMax.
    void seal(Crypto& crypto, Bytes message, std::vector<std::uint8_t>& out);

    // Of the frame at the front of `bytes`, without those two; 0 while they are not there.
    // Error::TooLarge over kFrameSizeMax, Error::Malformed for what is no size.
    static Result<std::size_t> size_of_next(Bytes bytes);
    // The message in a frame, in `out`, which is as large. Error::Unauthenticated if the padding is
    // not right, which is all that this protocol has to see that it was changed.
    Result<Bytes> open(Crypto& crypto, Bytes frame, MutBytes out);

  private:
    using Iv = std::array<std::uint8_t, kBlockSize>;

    AesKey key_;
    Iv iv_in_{};
    Iv iv_out_{};
};

}  // namespace sotto::device::particle
