// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/device_state.hpp"

#include "core/base/hex.hpp"
#include "core/keystore/private_key.hpp"
#include "device/virtual/log.hpp"

namespace sotto::device {
namespace {

using session::PairingDisplay;

constexpr hal::RecordId kDisplayRecord{0x0083};  // u8 format = 1, u8: 0 screen, 1 label
constexpr std::uint8_t kDisplayFormat = 1;
constexpr hal::RecordId kTrustRecord{0x0084};  // SHA-256 of the sorted hashes of the trusted
constexpr std::size_t kSerialSize = 8;

// [SES-1] The subject is model and serial, and the serial is random.
Result<keystore::Identity> draw_identity(hal::Entropy& entropy) {
    std::array<std::uint8_t, kSerialSize> serial{};
    SOTTO_TRY(entropy.fill(serial));
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(entropy));
    SOTTO_TRY_ASSIGN(const auto credential,
                     cose::Credential::create("sotto-device-" + to_hex<std::string>(serial),
                                              crypto::dh_public(key)));
    return keystore::Identity{.private_key = std::move(key),
                              .credential = keystore::CredentialBytes{credential.bytes()}};
}

Result<keystore::Identity> copy_of(const GivenIdentity& given) {
    return keystore::Identity{.private_key = given.private_key.clone(),
                              .credential = keystore::CredentialBytes{given.credential.bytes()}};
}

// Names a set, whatever its order.
crypto::Hash digest_of(std::span<const cose::Credential> credentials) {
    std::vector<crypto::Hash> hashes;
    for (const cose::Credential& credential : credentials) hashes.push_back(credential.hash());
    std::sort(hashes.begin(), hashes.end());
    crypto::Sha256 digest;
    for (const crypto::Hash& hash : hashes) digest.update(hash);
    return digest.finish();
}

}  // namespace

std::string DeviceState::cannot(Error why, const std::string& what) const {
    if (why == Error::Malformed)
        return what + " in " + options_.folder +
               " is damaged; nothing was changed. Put back a copy of the folder, or move it away "
               "to begin anew as another device";
    if (why == Error::EntropyFailed)
        return "the system gives no random numbers, so " + what + " cannot be made. Try again";
    return what + " in " + options_.folder +
           " cannot be read or written. Check disk and permissions, or name another folder with "
           "--state";
}

Outcome<DeviceState> DeviceState::open(const Options& options, hal::Entropy& entropy) {
    auto storage = ports::FileStorage::open(options.folder);
    if (!storage) return storage.error().detail;
    DeviceState state{options, *std::move(storage)};
    SOTTO_TRY(state.disown_copy());
    SOTTO_TRY(state.load_identity(entropy));
    SOTTO_TRY(state.load_display());
    SOTTO_TRY(state.commission(entropy));
    return state;
}

// The other copy may have gone on with its sessions: a number used here could be used twice.
Outcome<> DeviceState::disown_copy() {
    if (!storage_->is_copy()) return {};
    if (!erase_sessions() || !storage_->adopt())
        return cannot(Error::StorageFailed, "what a copy must not go on with");
    return {};
}

Status DeviceState::erase_sessions(std::size_t first) const {
    for (auto slot = static_cast<std::uint8_t>(first); slot < session::kStoredSessions; ++slot)
        SOTTO_TRY(keystore::erase_session(*storage_, slot));
    return {};
}

Outcome<> DeviceState::load_identity(hal::Entropy& entropy) {
    const std::string what = "the identity";
    auto stored = keystore::load_identity(*storage_);
    if (!stored && stored.error() == Error::NotFound) return make_identity(entropy);
    if (!stored) return cannot(stored.error(), what);
    auto credential = cose::Credential::parse(stored->credential);
    if (!credential || crypto::dh_public(stored->private_key).x != credential->public_key().x)
        return cannot(Error::Malformed, what);
    private_key_ = std::move(stored->private_key);
    credential_ = *std::move(credential);
    return check_given();
}

Outcome<> DeviceState::check_given() const {
    const GivenIdentity* given = options_.identity;
    if (given == nullptr || given->credential == credential()) return {};
    return "the device in " + options_.folder +
           " has another identity than --cred. Leave out --identity and --cred, or name another "
           "folder with --state";
}

Outcome<> DeviceState::make_identity(hal::Entropy& entropy) {
    const std::string what = "the identity";
    // An owner knows this device by its credential: without it the rest is worth nothing.
    if (const auto root = keystore::load_root(*storage_); root || root.error() != Error::NotFound)
        return cannot(Error::Malformed, what);
    auto identity =
        options_.identity != nullptr ? copy_of(*options_.identity) : draw_identity(entropy);
    if (!identity) return cannot(identity.error(), what);
    if (const Status stored = keystore::store_identity(*storage_, *identity); !stored)
        return cannot(stored.error(), what);
    return load_identity(entropy);
}

Outcome<> DeviceState::load_display() {
    const std::string what = "the kind of display";
    const PairingDisplay wanted = options_.display;
    std::array<std::uint8_t, 2> record{};
    const auto size = storage_->load(kDisplayRecord, record);
    if (size) {
        if (*size != record.size() || record[0] != kDisplayFormat || record[1] > 1)
            return cannot(Error::Malformed, what);
        display_ = record[1] == 1 ? PairingDisplay::Label : PairingDisplay::Screen;
        if (wanted == PairingDisplay::Label && display_ == PairingDisplay::Screen)
            return "the device in " + options_.folder +
                   " has a screen and no label. Leave out --label, or name another folder with "
                   "--state";
        return {};
    }
    if (size.error() != Error::NotFound) return cannot(size.error(), what);
    record = {kDisplayFormat, static_cast<std::uint8_t>(wanted == PairingDisplay::Label)};
    if (const Status stored = storage_->store(kDisplayRecord, record); !stored)
        return cannot(stored.error(), what);
    display_ = wanted;
    return {};
}

Outcome<> DeviceState::commission(hal::Entropy& entropy) {
    const std::string what = "the pairing secret";
    const auto root = keystore::load_root(*storage_);
    if (root) return {};
    if (root.error() != Error::NotFound) return cannot(root.error(), what);
    keystore::PairingSecret secret;
    if (!entropy.fill(secret.fill())) return cannot(Error::EntropyFailed, what);
    const Status stored = session::Authority::commission(*storage_, std::move(secret));
    if (!stored) return cannot(stored.error(), what);
    return {};
}

// A session outlives a restart, a trust that is not said again does not.
Outcome<> DeviceState::trust(std::span<const cose::Credential> trusted) {
    const std::string what = "whom it trusts";
    const crypto::Hash digest = digest_of(trusted);
    crypto::Hash stored{};
    const auto size = storage_->load(kTrustRecord, stored);
    if (size && *size == stored.size() && stored == digest) return {};
    if (!size && size.error() == Error::NotFound && trusted.empty()) return {};
    if (!size && size.error() == Error::StorageFailed) return cannot(size.error(), what);
    if (!erase_sessions(session::kOwnerSessions + session::kCloudSessions) ||
        !storage_->store(kTrustRecord, digest))
        return cannot(Error::StorageFailed, what);
    return {};
}

Outcome<> DeviceState::factory_reset(hal::Entropy& entropy) {
    session::Authority authority{{.storage = *storage_, .display = display_}};
    const auto attempt = [&]() -> Status {
        SOTTO_TRY(authority.load({}));
        return authority.factory_reset(entropy);
    };
    if (const Status reset = attempt(); !reset) return cannot(reset.error(), "the owner");
    if (!erase_sessions())
        return "the device is reset, and its old session keys are void, but they could not be "
               "erased from " +
               options_.folder + ". Make room on its disk and reset it again";
    return {};
}

}  // namespace sotto::device
