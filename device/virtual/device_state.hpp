// SPDX-License-Identifier: Apache-2.0
// What a device keeps in its state folder (docs/formats/device_state.md): who it is, and whatever
// core/session stores there. Allocates; blocks on the disk.
#pragma once

#include "core/cose/credential.hpp"
#include "core/hal/entropy.hpp"
#include "core/session/authority.hpp"
#include "device/virtual/key_files.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::device {

class DeviceState {
  public:
    struct Options {
        std::string folder;
        session::PairingDisplay display = session::PairingDisplay::Screen;
        const GivenIdentity* identity = nullptr;  // null: one is made
    };
    // Opens the folder; at the first start stores identity and pairing secret. Whatever is wrong,
    // nothing that was stored is changed.
    static Outcome<DeviceState> open(const Options& options, hal::Entropy& entropy);

    // Says whom the device trusts from now on: if these are others than before, the sessions of
    // trusted peers end.
    Outcome<> trust(std::span<const cose::Credential> trusted);

    // Forgets owner, cloud and sessions of a device that is not running.
    Outcome<> factory_reset(hal::Entropy& entropy);
    // Erases what is left of sessions that are void already, so that their keys are gone too.
    Status erase_sessions() const { return erase_sessions(0); }

    ports::FileStorage& storage() const { return *storage_; }
    const cose::Credential& credential() const {
        SOTTO_ASSERT(credential_.has_value());
        return *credential_;
    }
    const crypto::DhPrivateKey& private_key() const { return private_key_; }
    session::PairingDisplay display() const { return display_; }

  private:
    DeviceState(Options options, ports::FileStorage storage)
        : options_(std::move(options)),
          storage_(std::make_unique<ports::FileStorage>(std::move(storage))) {}

    Outcome<> disown_copy();
    Outcome<> load_identity(hal::Entropy& entropy);
    Outcome<> make_identity(hal::Entropy& entropy);
    Outcome<> check_given() const;
    Status erase_sessions(std::size_t first) const;
    Outcome<> load_display();
    Outcome<> commission(hal::Entropy& entropy);
    std::string cannot(Error why, const std::string& what) const;

    Options options_;
    std::unique_ptr<ports::FileStorage> storage_;  // stays where it is
    crypto::DhPrivateKey private_key_;
    std::optional<cose::Credential> credential_;
    session::PairingDisplay display_ = session::PairingDisplay::Screen;
};

}  // namespace sotto::device
