// SPDX-License-Identifier: Apache-2.0
// Frames of the legacy Particle protocol: u16 size, then a message in AES-128-CBC with the padding
// of PKCS #7. The IV of a frame is the first block of the frame before, in that direction.
// Allocates only for a frame that came in parts; owns the keys.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "cloud/particle/crypto.hpp"
#include "cloud/particle/limits.hpp"

namespace sotto::cloud::particle {

using Iv = std::array<std::uint8_t, kBlockSize>;

// Of the frame of a message of this size.
constexpr std::size_t frame_size(std::size_t message_size) {
    return 2 + message_size - message_size % kBlockSize + kBlockSize;
}

// Room for the plaintext of a frame. Only what was used is wiped, and nothing is set before: most
// frames have 16 bytes.
class Plaintext {
  public:
    Plaintext() {}  // NOLINT(modernize-use-equals-default): that would set the bytes
    Plaintext(const Plaintext&) = delete;
    Plaintext& operator=(const Plaintext&) = delete;
    ~Plaintext() { wipe(MutBytes{bytes_}.first(used_)); }
    MutBytes first(std::size_t size) {
        used_ = std::max(used_, size);
        return MutBytes{bytes_}.first(size);
    }

  private:
    std::array<std::uint8_t, kFrameSizeMax> bytes_;
    std::size_t used_ = 0;
};

// One direction each, under the same key and at first the same IV.
class FrameWriter {
  public:
    explicit FrameWriter(const Credentials& credentials);
    // Appends the frame. Precondition: the message is not larger than kFrameSizeMax - kBlockSize.
    void write(Cipher& cipher, const AesKey& key, Bytes message, std::vector<std::uint8_t>& out);

  private:
    Iv iv_{};
};

class FrameReader {
  public:
    explicit FrameReader(const Credentials& credentials);

    // The messages in what was received, one after the other, each passed to `on_message(Bytes)`,
    // which says whether to go on; what is left is kept. Error::TooLarge for a frame over
    // kFrameSizeMax, Error::Unauthenticated for one that cannot have been sealed with the key. No
    // byte may be given after an error.
    template <class OnMessage>
    Status read(Cipher& cipher, const AesKey& key, Bytes received, OnMessage on_message) {
        Plaintext plain;
        Bytes rest = begin(received);
        for (;;) {
            SOTTO_TRY_ASSIGN(const std::size_t size, size_of_first(rest));
            if (size == 0) break;
            SOTTO_TRY_ASSIGN(const Bytes message,
                             open(cipher, key, rest.subspan(2, size), plain.first(size)));
            rest = rest.subspan(2 + size);
            if (!on_message(message)) break;
        }
        keep(rest);
        return {};
    }

  private:
    Bytes begin(Bytes received);
    // Of a whole frame; 0 if it is not there yet.
    static Result<std::size_t> size_of_first(Bytes rest);
    Result<Bytes> open(Cipher& cipher, const AesKey& key, Bytes frame, MutBytes out);
    void keep(Bytes rest);

    Iv iv_{};
    std::vector<std::uint8_t> part_;  // of a frame
};

}  // namespace sotto::cloud::particle
