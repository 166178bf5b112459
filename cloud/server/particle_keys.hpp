// SPDX-License-Identifier: Apache-2.0
// The keys by which legacy Particle devices know this cloud, in the state folder
// (docs/formats/cloud_folder.md), under the names and in the formats of the servers before it.
// Allocates; blocks on the disk.
#pragma once

#include <string>
#include <vector>

#include "cloud/particle_openssl/keys.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

// The key that is there, or else a new one. Its public halves are written where they are missing.
// Error::Malformed if it is damaged or no RSA-2048 key: it is left as it is.
ports::Outcome<particle_openssl::ServerKey> ensure_particle_key(const std::string& state);

// The key that is there. Error::NotFound, or as above.
ports::Outcome<particle_openssl::ServerKey> read_particle_key(const std::string& state);

// By which devices know it now, made if it is not there, and the one by which some may still.
ports::Outcome<std::vector<particle_openssl::ServerKey>> open_particle_keys(
    const std::string& state);

// A key takes the place of the present one, by which devices still reach the cloud. Both count from
// the next start. Error::AlreadyExists if there are two already.
ports::Outcome<> replace_particle_key(const std::string& state,
                                      const particle_openssl::ServerKey& key);
// The former one counts no more, from the next start. Error::NotFound if there is none.
ports::Outcome<> retire_particle_key(const std::string& state);

// Where devices' owners find its public half, in PEM and in DER.
std::string particle_public_pem_path(const std::string& state);
std::string particle_public_der_path(const std::string& state);

// Writes a file for a device, 0600, beside those.
ports::Outcome<std::string> write_particle_file(const std::string& state,
                                                const std::string& name,
                                                Bytes content);

}  // namespace sotto::cloud::server
