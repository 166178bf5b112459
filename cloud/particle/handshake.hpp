// SPDX-License-Identifier: Apache-2.0
// The server's side of the legacy handshake: a nonce goes out, 256 bytes come in, 384 go out, and
// both sides have 40 bytes of credentials. Sans-I/O; the two steps with RSA are free functions for
// a thread that serves nobody. No allocation but for a key; never blocks.
//
// Whatever is wrong with the 256 bytes, padding, nonce, an unknown device or its key, is seen by
// the other side as one thing: silence until kRefusalTime after the last of them, and then the end.
#pragma once

#include <array>
#include <vector>

#include "cloud/model/ids.hpp"
#include "cloud/particle/crypto.hpp"
#include "cloud/particle/limits.hpp"

namespace sotto::cloud::particle {

inline constexpr std::size_t kNonceSize = 40;
inline constexpr std::size_t kAnswerSize = kDeviceModulusSize + kServerModulusSize;

using Nonce = std::array<std::uint8_t, kNonceSize>;
using DeviceKey = std::vector<std::uint8_t>;  // SubjectPublicKeyInfo in DER

// What the device sent, with what it must hold.
struct KeyMessage {
    Nonce nonce{};
    std::array<std::uint8_t, kServerModulusSize> sealed{};
};

// What was in it. Nothing of it is proved: whoever has the server's public key can write this.
struct Introduction {
    model::DeviceId device{};
    DeviceKey reported_key{};  // empty if there is none
};

struct Agreement {
    std::array<std::uint8_t, kAnswerSize> message{};
    Credentials credentials{};
};

// Error::Unauthenticated for whatever is wrong, found without a branch on what was decrypted.
Result<Introduction> open_key_message(HandshakeCrypto& crypto, const KeyMessage& message);

// Draws credentials and seals them to the device. Error::Malformed if the key is of no use,
// Error::EntropyFailed.
Result<Agreement> agree(HandshakeCrypto& crypto, Bytes device_key);

class Handshake {
  public:
    enum class Stage : std::uint8_t { Reading, Answering, Done, Refused };

    Handshake(const Nonce& nonce, Instant now) : nonce_(nonce), begun_at_(now) {}

    // To be sent first.
    Bytes greeting() const { return nonce_; }
    Stage stage() const { return stage_; }

    // From the socket. Once all are there it is Stage::Answering, and key_message() is for
    // open_key_message(). More than 256 bytes are refused: nothing can follow yet.
    void receive(Bytes bytes, Instant now);
    KeyMessage key_message() const { return {.nonce = nonce_, .sealed = sealed_}; }

    // Whether an answer could be made, which is sent now. Stage::Done or Stage::Refused.
    void on_answered(const Status& status);

    // To be closed, for it took too long or was refused.
    bool is_over(Instant now) const;

  private:
    void refuse() { stage_ = Stage::Refused; }

    Nonce nonce_;
    Instant begun_at_{};
    Instant read_at_{};  // all of it
    Stage stage_ = Stage::Reading;
    std::size_t size_ = 0;
    std::array<std::uint8_t, kServerModulusSize> sealed_{};
};

}  // namespace sotto::cloud::particle
