// SPDX-License-Identifier: Apache-2.0
#include "core/session/authority.hpp"

namespace sotto::session {

Status Authority::load(Moment now) {
    SOTTO_TRY(keystore::load_root(setup_.storage, root_));
    return setup_.network != nullptr ? setup_.network->load(setup_.storage, root_.epoch, now)
                                     : Status{};
}

const cose::Credential* Authority::candidate(const cose::IdCred& id_cred,
                                             std::size_t n,
                                             cose::Credential& room) const {
    const bool is_by_value = id_cred.form() == cose::CredentialForm::Value;
    if (is_by_value && n != 0) return nullptr;
    if (is_by_value || has_owner()) {
        const Bytes ccs = is_by_value ? id_cred.body() : Bytes{root_.owner};
        const bool is_one = cose::Credential::parse(ccs, room) && id_cred.matches(room);
        if (is_one && n-- == 0) return &room;
    }
    if (is_by_value) return nullptr;
    for (const cose::Credential& trusted : setup_.trusted) {
        if (id_cred.matches(trusted) && n-- == 0) return &trusted;
    }
    return nullptr;
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
