// SPDX-License-Identifier: Apache-2.0
// The key by which legacy Particle devices know this cloud, in the state folder
// (docs/formats/cloud_folder.md), under the names and in the formats of the servers before it; and
// the operator's commands about the keys of devices. Allocates; blocks on the disk.
#pragma once

#include <string>

#include "cloud/particle_openssl/keys.hpp"
#include "cloud/server/settings.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

// The key that is there, or else a new one. Its public halves are written where they are missing.
// Error::Malformed if it is damaged or no RSA-2048 key: it is left as it is.
ports::Outcome<particle_openssl::ServerKey> ensure_particle_key(const std::string& state);

// The key that is there. Error::NotFound, or as above.
ports::Outcome<particle_openssl::ServerKey> read_particle_key(const std::string& state);

// Where devices' owners find its public half, in PEM and in DER.
std::string particle_public_pem_path(const std::string& state);
std::string particle_public_der_path(const std::string& state);

// What it prints. While a cloud runs its next handshake with the device counts.
ports::Outcome<std::string> perform_device_key(const DeviceKeyCommand& command);

}  // namespace sotto::cloud::server
