// SPDX-License-Identifier: Apache-2.0
#include "core/session/authority.hpp"

namespace sotto::session {

Status Authority::load(Moment now) {
    SOTTO_TRY(keystore::load_root(setup_.storage, root_));
    SOTTO_TRY(load_confirmed(cloud_));
    keystore::CloudRecord trial;
    SOTTO_TRY(keep_valid(keystore::load_trial_cloud(setup_.storage, trial), trial));
    is_on_trial_ = trial.version > cloud_.version;  // otherwise it has been decided
    if (is_on_trial_) cloud_ = trial;
    trial_began_ = now;
    is_trial_proved_ = false;
    return {};
}

Status Authority::load_confirmed(keystore::CloudRecord& cloud) const {
    return keep_valid(keystore::load_cloud(setup_.storage, cloud), cloud);
}

Status Authority::keep_valid(Status loaded, keystore::CloudRecord& cloud) const {
    if (loaded && cloud.epoch == root_.epoch) return {};
    cloud.version = 0;
    if (!loaded && loaded.error() != Error::NotFound) return loaded;
    return {};
}

void Authority::candidate(const cose::IdCred& id_cred,
                          std::size_t n,
                          std::optional<cose::Credential>& found) const {
    found.reset();
    const bool is_by_value = id_cred.form() == cose::CredentialForm::Value;
    if (is_by_value ? n == 0 : has_owner()) {
        const auto named =
            cose::Credential::parse(is_by_value ? id_cred.body() : Bytes{root_.owner});
        if (named && (is_by_value || (id_cred.matches(*named) && n-- == 0))) {
            found.emplace(*named);
            return;
        }
    }
    if (is_by_value) return;
    for (const cose::Credential& trusted : setup_.trusted) {
        if (!id_cred.matches(trusted) || n-- != 0) continue;
        found.emplace(trusted);
        return;
    }
}

bool Authority::is_owner(const cose::Credential& credential) const {
    return has_owner() && equal(root_.owner, credential.bytes());
}

std::optional<Role> Authority::role_of(const cose::Credential& credential) const {
    if (is_owner(credential)) return Role::Owner;
    if (cloud() && cloud()->credential_hash == credential.hash()) return Role::Cloud;
    for (const cose::Credential& trusted : setup_.trusted) {
        if (trusted == credential) return Role::Trusted;
    }
    return std::nullopt;
}

PairingVerdict Authority::judge(const Applicant& applicant, Moment now) const {
    // [SES-22] A wrong proof learns nothing else.
    if (!ct_equal(applicant.proof, applicant.expected)) return PairingVerdict::NotPermitted;
    if (is_owner(applicant.credential)) return PairingVerdict::Accepted;  // [SES-24]
    if (has_owner()) return PairingVerdict::OtherOwner;
    if (setup_.display == PairingDisplay::Label) {  // [SES-25]
        if (!button_pressed_ || now > *button_pressed_ + kButtonWindow) {
            return PairingVerdict::PressButton;
        }
    }
    return PairingVerdict::Accepted;
}

Status Authority::set_owner(const cose::Credential& owner,
                            keystore::TokenKey&& token_key,
                            keystore::OwnerState state) {
    keystore::DeviceRoot root;
    root.epoch = root_.epoch;
    root.generation = next_generation();
    root.owner_state = state;
    root.owner.assign(owner.bytes());
    root.token_key = std::move(token_key);
    root.pairing_secret = root_.pairing_secret.clone();
    SOTTO_TRY(keystore::store_root(setup_.storage, root));
    root_ = std::move(root);
    return {};
}

Status Authority::confirm_owner() {
    if (!is_owner_pending()) return {};
    root_.owner_state = keystore::OwnerState::Owned;
    const Status stored = keystore::store_root(setup_.storage, root_);
    if (!stored) root_.owner_state = keystore::OwnerState::Pending;
    return stored;
}

Status Authority::try_cloud(keystore::CloudRecord& record, Moment now) {
    if (cloud() && record.version <= cloud()->version) return Error::Superseded;
    record.epoch = root_.epoch;
    SOTTO_TRY(keystore::store_trial_cloud(setup_.storage, record));
    cloud_ = record;
    is_on_trial_ = true;
    trial_began_ = now;
    is_trial_proved_ = false;
    return {};
}

Status Authority::confirm_cloud(std::uint32_t version) {
    if (!is_cloud_on_trial() || cloud_.version != version) return Error::Superseded;
    if (!is_trial_proved_) return Error::WrongState;
    SOTTO_TRY(keystore::store_cloud(setup_.storage, cloud_));
    forget_trial();
    return {};
}

bool Authority::end_trial(Moment now) {
    if (!is_cloud_on_trial() || !has_passed(trial_began_, kCloudTrial, now)) return false;
    // The version only rises. If storage fails, the trial begins again at the next boot.
    keystore::CloudRecord former;
    if (!load_confirmed(former)) return false;
    if (former.version != 0) {
        former.version = cloud_.version;
        if (!keystore::store_cloud(setup_.storage, former)) return false;
    }
    cloud_ = former;
    forget_trial();
    return true;
}

void Authority::forget_trial() {
    is_on_trial_ = false;
    // Should this fail: its version is that of the other record, or it is tried once more.
    (void)keystore::erase_trial_cloud(setup_.storage).has_value();
}

Status Authority::factory_reset(hal::Entropy& entropy) {
    keystore::DeviceRoot root;
    root.epoch = root_.epoch + 1;
    root.generation = root_.generation;
    root.pairing_secret = root_.pairing_secret.clone();
    if (setup_.display == PairingDisplay::Screen) {
        SOTTO_TRY(entropy.fill(root.pairing_secret.fill()));
    }
    SOTTO_TRY(keystore::store_root(setup_.storage, root));
    root_ = std::move(root);
    cloud_.version = 0;
    is_on_trial_ = false;
    button_pressed_.reset();
    return {};
}

Status Authority::commission(hal::Storage& storage, keystore::PairingSecret secret) {
    keystore::DeviceRoot root;
    root.epoch = 1;
    root.pairing_secret = std::move(secret);
    return keystore::store_root(storage, root);
}

}  // namespace sotto::session
