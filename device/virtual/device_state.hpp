// SPDX-License-Identifier: Apache-2.0
// What a device keeps in its state folder (docs/formats/device_state.md): who it is, and whatever
// core/session stores there. Allocates; blocks on the disk.
#pragma once

#include "core/cose/credential.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/authority.hpp"
#include "device/virtual/outcome.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::device {

class DeviceState {
  public:
    // Opens the folder; at the first start makes an identity and a pairing secret. Whatever is
    // wrong, nothing that was stored is changed.
    static Outcome<DeviceState> open(const std::string& folder,
                                     session::PairingDisplay wanted,
                                     hal::Entropy& entropy);

    // Forgets owner, cloud and sessions of a device that is not running.
    Outcome<> factory_reset(hal::Entropy& entropy);
    // Erases what is left of sessions that are void already, so that their keys are gone too.
    Status erase_sessions() const;

    ports::FileStorage& storage() const { return *storage_; }
    const cose::Credential& credential() const { return *credential_; }
    const crypto::DhPrivateKey& private_key() const { return private_key_; }
    session::PairingDisplay display() const { return display_; }

  private:
    DeviceState(std::string folder, ports::FileStorage storage)
        : folder_(std::move(folder)),
          storage_(std::make_unique<ports::FileStorage>(std::move(storage))) {}

    Outcome<> disown_copy();
    Outcome<> load_identity(hal::Entropy& entropy);
    Outcome<> make_identity(hal::Entropy& entropy);
    Outcome<> load_display(session::PairingDisplay wanted);
    Outcome<> commission(hal::Entropy& entropy);
    std::string cannot(Error why, const std::string& what) const;

    std::string folder_;
    std::unique_ptr<ports::FileStorage> storage_;  // stays where it is
    crypto::DhPrivateKey private_key_;
    std::optional<cose::Credential> credential_;
    session::PairingDisplay display_ = session::PairingDisplay::Screen;
};

}  // namespace sotto::device
