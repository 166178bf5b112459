// SPDX-License-Identifier: Apache-2.0
// The forms in which devices keep their keys, for whoever writes them there. Old devices do not
// parse DER: they look for each number at its place. Allocates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::particle {

inline constexpr std::size_t kServerKeyDerSize = 294;  // SubjectPublicKeyInfo of RSA-2048
inline constexpr std::size_t kDevicePrivateSizeMax = 612;

// Whether a PKCS #1 RSAPrivateKey in DER (RFC 8017 A.1.2) of 1,024 bits has each of its numbers in
// full length, where a device looks for it.
bool has_device_shape(Bytes private_der);

// Where a kind of device keeps what, for the tool that writes it there.
struct Platform {
    std::string_view name;
    std::string_view usb;            // vendor and product, of its DFU mode; empty: it has none
    std::string_view server_place;   // of the server's key in its memory
    std::string_view private_place;  // of its own key
    std::size_t segment_size;        // of the server's key with the address; 0: without an address
};
std::optional<Platform> find_platform(std::string_view name);
// Their names, with commas.
std::string platform_names();

// What a device keeps of its server: the key, and where it is. The address is an IPv4 address or a
// name of at most 63 bytes, and a port; a platform that has no place for one takes none.
// Error::InvalidArgument: it cannot be kept so; Error::Malformed: this is no key of a server.
struct ServerAddress {
    std::string host;
    std::uint16_t port = 5683;
};
Result<std::vector<std::uint8_t>> make_server_segment(const Platform& platform,
                                                      Bytes server_key,
                                                      const std::optional<ServerAddress>& address);

}  // namespace sotto::cloud::particle
