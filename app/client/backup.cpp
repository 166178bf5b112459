// SPDX-License-Identifier: Apache-2.0
#include "app/client/backup.hpp"

#include <algorithm>
#include <set>

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/cose/credential.hpp"

namespace sotto::app {
namespace {

// Heads and keys around the parts: an upper bound.
constexpr std::size_t kFrameSize = 64;
static_assert(kBackupDevicesMax * (kBackupNameSizeMax + 2 * keystore::kCredentialSizeMax +
                                   keystore::TokenKey::kSize + crypto::kDhSize + kFrameSize) +
                  512 <=
              kBackupSizeMax);

enum Key : std::uint8_t { Devices = 3 };
enum DeviceKey : std::uint8_t {
    Name = 1,
    DeviceCredential = 2,
    Generation = 3,
    TokenKey = 4,
    PrivateKey = 5,
    OwnerCredential = 6,
};

bool is_plain(std::string_view name) {
    return name.size() <= kBackupNameSizeMax && std::none_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

std::size_t size_bound(const Backup& backup) {
    std::size_t size = kFrameSize;
    for (const BackupDevice& device : backup.devices)
        size += kFrameSize + device.name.size() + device.credential.size() +
                keystore::TokenKey::kSize + crypto::kDhSize + device.identity.credential.size();
    return size;
}

Status expect_map(cbor::Reader& in, std::size_t count) {
    in.require(in.map() == count);
    return in.status();
}

Status expect_key(cbor::Reader& in, std::uint8_t key) {
    in.require(in.uint() == key);
    return in.status();
}

Result<cose::Credential> read_credential(cbor::Reader& in) {
    const Bytes bytes = in.bytes();
    SOTTO_TRY(in.status());
    return cose::Credential::parse(bytes);
}

template <class T>
Result<BytesN<T::kSize>> read_key(cbor::Reader& in) {
    const Bytes bytes = in.bytes();
    in.require(bytes.size() == T::kSize);
    SOTTO_TRY(in.status());
    return bytes.first<T::kSize>();
}

Result<keystore::Identity> read_identity(cbor::Reader& in) {
    SOTTO_TRY(expect_key(in, DeviceKey::PrivateKey));
    SOTTO_TRY_ASSIGN(const auto candidate, read_key<crypto::DhPrivateKey>(in));
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, crypto::dh_private_from_candidate(candidate));
    SOTTO_TRY(expect_key(in, DeviceKey::OwnerCredential));
    SOTTO_TRY_ASSIGN(const cose::Credential credential, read_credential(in));
    if (crypto::dh_public(key).x != credential.public_key().x) return Error::Malformed;
    return keystore::Identity{std::move(key), keystore::CredentialBytes{credential.bytes()}};
}

Result<BackupDevice> read_device(cbor::Reader& in) {
    BackupDevice device;
    SOTTO_TRY(expect_map(in, 6));
    SOTTO_TRY(expect_key(in, DeviceKey::Name));
    const std::string_view name = in.text();
    in.require(is_plain(name));
    device.name = name;
    SOTTO_TRY(expect_key(in, DeviceKey::DeviceCredential));
    SOTTO_TRY_ASSIGN(const cose::Credential credential, read_credential(in));
    device.credential = keystore::CredentialBytes{credential.bytes()};
    SOTTO_TRY(expect_key(in, DeviceKey::Generation));
    const std::uint64_t generation = in.uint();
    in.require(generation <= 0xffff'ffff);
    device.generation = static_cast<std::uint32_t>(generation);
    SOTTO_TRY(expect_key(in, DeviceKey::TokenKey));
    SOTTO_TRY_ASSIGN(const auto token_key, read_key<keystore::TokenKey>(in));
    device.token_key = keystore::TokenKey{token_key};
    SOTTO_TRY_ASSIGN(device.identity, read_identity(in));
    return device;
}

Result<Backup> read_backup(cbor::Reader& in) {
    Backup backup;
    SOTTO_TRY(expect_map(in, 1));
    SOTTO_TRY(expect_key(in, Key::Devices));
    const std::size_t count = in.array();
    if (count > kBackupDevicesMax) return Error::TooLarge;
    std::set<framing::DeviceId> seen;
    for (std::size_t i = 0; i < count; ++i) {
        SOTTO_TRY_ASSIGN(BackupDevice device, read_device(in));
        if (!seen.insert(device_id_of(device.credential)).second) return Error::Malformed;
        backup.devices.push_back(std::move(device));
    }
    SOTTO_TRY(in.finish());
    return backup;
}

}  // namespace

Result<WipedBytes> encode_backup(const Backup& backup) {
    if (backup.devices.size() > kBackupDevicesMax) return Error::TooLarge;
    WipedBytes bytes{size_bound(backup)};
    cbor::Writer out{bytes.fill()};
    out.map(1).uint(Key::Devices).array(backup.devices.size());
    for (const BackupDevice& device : backup.devices) {
        if (device.name.size() > kBackupNameSizeMax) return Error::TooLarge;
        out.map(6).uint(DeviceKey::Name).text(device.name);
        out.uint(DeviceKey::DeviceCredential).bytes(device.credential);
        out.uint(DeviceKey::Generation).uint(device.generation);
        out.uint(DeviceKey::TokenKey).bytes(device.token_key.expose());
        out.uint(DeviceKey::PrivateKey).bytes(device.identity.private_key.expose());
        out.uint(DeviceKey::OwnerCredential).bytes(device.identity.credential);
    }
    SOTTO_TRY(out.finish());
    bytes.shrink(out.size());
    return bytes;
}

Result<Backup> parse_backup(Bytes bytes) {
    if (bytes.size() > kBackupSizeMax) return Error::TooLarge;
    cbor::Reader in{bytes};
    auto backup = read_backup(in);
    if (!backup && backup.error() != Error::TooLarge) return Error::Malformed;
    return backup;
}

framing::DeviceId device_id_of(Bytes credential) {
    framing::DeviceId id{};
    const crypto::Hash hash = crypto::sha256(credential);
    std::copy_n(hash.begin(), id.size(), id.begin());
    return id;
}

}  // namespace sotto::app
