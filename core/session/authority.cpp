// SPDX-License-Identifier: Apache-2.0
#include "core/session/authority.hpp"

namespace sotto::session {

Status Authority::load(Moment now) {
    SOTTO_TRY(keystore::load_root(setup_.storage, root_));
    return setup_.network != nullptr ? setup_.network->load(setup_.storage, root_.epoch, now)
                                     : Status{};
}

bool Authority::find(const cose::IdCred& id_cred, cose::Credential& room) const {
    // Without an owner there are no bytes, which are no credential.
    const bool is_by_value = id_cred.form() == cose::CredentialForm::Value;
    const Bytes ccs = is_by_value ? id_cred.body() : Bytes{root_.owner};
    return cose::Credential::parse(ccs, room) && id_cred.matches(room);
}

bool Authority::is_owner(const cose::Credential& credential) const {
    return has_owner() && equal(root_.owner, credential.bytes());
}

bool Authority::find_role(const cose::Credential& credential, Role& role) const {
    role = Role::Owner;
    if (is_owner(credential)) return true;
    role = Role::Cloud;
    const keystore::CloudRecord* chosen = cloud();
    return chosen != nullptr && chosen->credential_hash == credential.hash();
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
    if (setup_.network != nullptr) setup_.network->reset(root_.epoch);
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
