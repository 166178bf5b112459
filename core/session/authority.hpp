// SPDX-License-Identifier: Apache-2.0
// Whom a device obeys: its owner and the cloud that the owner chose. Everything here is decided by
// whole credentials, never by a kid. No allocation; borrows storage.
#pragma once

#include <optional>

#include "core/cose/id_cred.hpp"
#include "core/hal/entropy.hpp"
#include "core/keystore/records.hpp"
#include "core/session/limits.hpp"
#include "core/session/network.hpp"
#include "core/session/pairing.hpp"

namespace sotto::session {

enum class Role : std::uint8_t {
    Owner = 1,    // everything
    Cloud = 2,    // /a alone
    Trusted = 3,  // functions, variables, events
    Guest = 4,    // those of them that his token names
};

// How a device shows its pairing secret.
enum class PairingDisplay : std::uint8_t {
    Screen,  // draws a new secret at every reset
    Label,   // keeps its secret, and wants its button pressed
};

class Authority {
  public:
    struct Setup {
        hal::Storage& storage;
        PairingDisplay display = PairingDisplay::Screen;
        Network* network = nullptr;
    };
    explicit Authority(const Setup& setup) : setup_(setup) {}

    // Reads the root, and the network's state, from storage. Error::NotFound: the device was never
    // commissioned; others as keystore::load_root().
    Status load(Moment now);

    // The credential that an ID_CRED_I may mean: by value the one in the message, whoever it may
    // belong to, else the owner's; in `room`. False: it is neither.
    bool find(const cose::IdCred& id_cred, cose::Credential& room) const;

    // The role of an authenticated credential; false if it has none here.
    bool find_role(const cose::Credential& credential, Role& role) const;

    // The button was pressed.
    void on_button(Moment now) { button_pressed_ = now; }

    struct Applicant {
        const cose::Credential& credential;
        Bytes proof;                   // as it came
        const crypto::Hash& expected;  // pairing_proof() of our secret
    };
    // What an authenticated credential with a pairing proof gets. Changes nothing.
    PairingVerdict judge(const Applicant& applicant, Moment now) const;

    // Makes an accepted credential the owner, PENDING, with this K_tok: one durable write.
    // Precondition: judge() said Accepted. Error::StorageFailed, NoSpace: nothing has changed.
    Status accept_owner(const cose::Credential& owner, keystore::TokenKey&& token_key) {
        return set_owner(owner, std::move(token_key), keystore::OwnerState::Pending);
    }
    // Puts another credential of the owner in the place of his present one [SES-27]: one durable
    // write. The caller ends the sessions of the former one first. Errors as accept_owner().
    // Precondition: there is an owner.
    Status hand_over(const cose::Credential& owner, keystore::TokenKey&& token_key) {
        return set_owner(owner, std::move(token_key), keystore::OwnerState::Owned);
    }
    std::uint32_t generation() const { return root_.generation; }
    // K_tok; zeros without owner.
    const keystore::TokenKey& token_key() const { return root_.token_key; }
    // The generation that the next accepted pairing gets.
    std::uint32_t next_generation() const { return root_.generation + 1; }

    // The owner's first valid request [SES-23]. Error::StorageFailed: still PENDING.
    Status confirm_owner();

    // Forgets the owner and everything he gave, in one durable write; the records of old sessions
    // are void from then on, for their epoch has passed. A device with a screen gets a new secret.
    Status factory_reset(hal::Entropy& entropy);

    // A device that has never been used: epoch 1, no owner, this secret.
    static Status commission(hal::Storage& storage, keystore::PairingSecret secret);

    std::uint32_t epoch() const { return root_.epoch; }
    bool has_owner() const { return root_.owner_state != keystore::OwnerState::None; }
    bool is_owner_pending() const { return root_.owner_state == keystore::OwnerState::Pending; }
    const keystore::PairingSecret& pairing_secret() const { return root_.pairing_secret; }
    // Network::cloud().
    const keystore::CloudRecord* cloud() const {
        return setup_.network != nullptr ? setup_.network->cloud() : nullptr;
    }

  private:
    bool is_owner(const cose::Credential& credential) const;
    Status set_owner(const cose::Credential& owner,
                     keystore::TokenKey&& token_key,
                     keystore::OwnerState state);

    Setup setup_;
    keystore::DeviceRoot root_;
    std::optional<Moment> button_pressed_;
};

}  // namespace sotto::session
