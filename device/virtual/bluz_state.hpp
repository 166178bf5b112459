// SPDX-License-Identifier: Apache-2.0
// Who a device is to gateways and clouds of bluz boards: an id and an RSA key that have nothing to
// do with the others of the device, in `bluz` of its state folder (docs/formats/device_state.md).
// Allocates; blocks on the disk.
#pragma once

#include <string>

#include "core/hal/entropy.hpp"
#include "device/particle/handshake.hpp"
#include "device/particle_openssl/keys.hpp"
#include "device/virtual/outcome.hpp"

namespace sotto::device {

class BluzState {
  public:
    // Makes what is not there. What is there and cannot be used is left alone, and said.
    static Outcome<BluzState> open(const std::string& state_folder, hal::Entropy& entropy);

    const particle::DeviceId& id() const { return id_; }
    const particle_openssl::DeviceKey& key() const { return key_; }
    // Its public half, for the operator of a cloud.
    const std::string& public_key_file() const { return public_key_file_; }

  private:
    BluzState(const particle::DeviceId& id,
              particle_openssl::DeviceKey key,
              std::string public_key_file)
        : id_(id), key_(std::move(key)), public_key_file_(std::move(public_key_file)) {}

    particle::DeviceId id_;
    particle_openssl::DeviceKey key_;
    std::string public_key_file_;
};

// The key of the cloud, PEM or DER.
Outcome<particle_openssl::ServerKey> read_server_key(const std::string& path);

}  // namespace sotto::device
