// SPDX-License-Identifier: Apache-2.0
// The RSA half of an old Particle device, from its description and not from the cloud's code: a key
// in the one shape that its parser knows, its 256 bytes, and its look at the 384 that come back.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"

namespace sotto::testing {

using LegacyId = std::array<std::uint8_t, 12>;

class LegacyKey {
  public:
    // RSA-1024, made again until every field has its full length.
    static LegacyKey generate();
    // From private_der(). Precondition: it is one.
    static LegacyKey from(Bytes private_der);
    LegacyKey(LegacyKey&& other) noexcept;
    ~LegacyKey();

    std::vector<std::uint8_t> private_der() const;  // PKCS #1
    std::vector<std::uint8_t> public_der() const;   // SubjectPublicKeyInfo, 162 bytes
    std::string public_pem() const;

    // PKCS #1 type 2 under the modulus at offset 33 of the server's key.
    std::array<std::uint8_t, 256> seal_to_server(Bytes server_key_der, Bytes message) const;
    // The 40 credentials in the answer; nothing if it is not the server's, for this device.
    std::optional<std::array<std::uint8_t, 40>> open(Bytes server_key_der, Bytes answer) const;

  private:
    struct Native;
    explicit LegacyKey(std::unique_ptr<Native> native);
    std::unique_ptr<Native> native_;
};

// AES-128 in CBC mode as it is, for whole blocks.
std::vector<std::uint8_t> legacy_cbc(bool encrypts, Bytes key, Bytes iv, Bytes in);

}  // namespace sotto::testing
