// SPDX-License-Identifier: Apache-2.0
// An owner with an app, who pairs with one device and gives it its cloud. Blocks; throws what goes
// wrong.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "app/client/device.hpp"
#include "app/transport/cloud_transport.hpp"
#include "core/framing/frame.hpp"
#include "ports/linux/system_entropy.hpp"

namespace sotto::bench {

inline constexpr Duration kPatience = seconds(30);

template <class T>
T must(app::Outcome<T> outcome) {
    if (!outcome) throw std::runtime_error{outcome.error().what};
    if constexpr (!std::is_void_v<T>) return *std::move(outcome);
}

// The first line.
std::string read_line(const std::string& file);
keystore::PairingCode read_code(const std::string& file);
framing::DeviceId device_id_of(const keystore::PairingCode& code);

class Owner {
  public:
    // `storage` must live longer.
    explicit Owner(hal::Storage& storage);

    // Of the device behind a transport; all of it must live longer.
    app::Device::Setup setup(app::Transport& transport);
    // Until it lets us: it may still be on its way to the cloud.
    static void pair(app::Device& device, const keystore::PairingCode& code);
    static void assign(app::Device& device, const app::CloudLogin& login);

  private:
    hal::Storage& storage_;
    ports::SystemEntropy entropy_;
    keystore::Identity identity_;
};

}  // namespace sotto::bench
