// SPDX-License-Identifier: Apache-2.0
// What a backup of the app holds, and its bytes before they are sealed (docs/formats/backup.md):
// what a new installation needs to be the same owner, and nothing of any session. Allocates; pure.
#pragma once

#include <string>
#include <vector>

#include "core/framing/frame.hpp"
#include "core/keystore/records.hpp"

namespace sotto::app {

// Bytes of any number that are wiped when they die.
class WipedBytes {
  public:
    explicit WipedBytes(std::size_t size = 0) : bytes_(size) {}
    WipedBytes(const WipedBytes&) = delete;
    WipedBytes& operator=(const WipedBytes&) = delete;
    WipedBytes(WipedBytes&& other) noexcept = default;  // the other one is left empty
    WipedBytes& operator=(WipedBytes&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~WipedBytes() { wipe(bytes_); }

    std::size_t size() const { return bytes_.size(); }
    Bytes view() const { return bytes_; }
    MutBytes fill() { return bytes_; }
    // Wipes what falls away. Precondition: size <= size().
    void shrink(std::size_t size) {
        wipe(fill().subspan(size));
        bytes_.resize(size);
    }

  private:
    std::vector<std::uint8_t> bytes_;
};

inline constexpr std::size_t kBackupDevicesMax = 4'096;
inline constexpr std::size_t kBackupNameSizeMax = 64;
inline constexpr std::size_t kBackupSizeMax = std::size_t{4} << 20U;

struct BackupDevice {
    std::string name;             // may be empty
    keystore::Identity identity;  // its owner's
    keystore::CredentialBytes credential;
    std::uint32_t generation = 0;
    keystore::TokenKey token_key;
};

struct Backup {
    std::vector<BackupDevice> devices;  // each credential once
};

// Error::TooLarge over the limits above.
Result<WipedBytes> encode_backup(const Backup& backup);

// Strict: only what encode_backup() writes. Error::Malformed also for keys that are none, a private
// key that is not that of the credential, a name that could act on a terminal, a device twice.
Result<Backup> parse_backup(Bytes bytes);

// The id of the device with this credential.
framing::DeviceId device_id_of(Bytes credential);

}  // namespace sotto::app
