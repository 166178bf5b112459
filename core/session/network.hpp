// SPDX-License-Identifier: Apache-2.0
// Which cloud the owner of a device has chosen, and how it changes [SES-60] to [SES-63]: another
// one is tried first, and the one before is kept. No allocation; borrows storage.
#pragma once

#include "core/keystore/records.hpp"
#include "core/session/moment.hpp"

namespace sotto::session {

// What a server has to know of it. A device without a cloud has none.
class Network {
  public:
    // Reads it from storage, which is borrowed from then on. What it says counts in this epoch
    // alone. Error::StorageFailed, Malformed.
    virtual Status load(hal::Storage& storage, std::uint32_t epoch, Moment now) = 0;
    // A new epoch has begun: there is no cloud.
    virtual void reset(std::uint32_t epoch) = 0;
    // The cloud to go to, which alone has Role::Cloud: the one on trial, if there is one; null if
    // there is none at all.
    virtual const keystore::CloudRecord* cloud() const = 0;

  protected:
    ~Network() = default;
};

class CloudTrial final : public Network {
  public:
    Status load(hal::Storage& storage, std::uint32_t epoch, Moment now) override;
    void reset(std::uint32_t epoch) override;
    const keystore::CloudRecord* cloud() const override {
        return cloud_.version != 0 ? &cloud_ : nullptr;
    }

    // Begins a trial of this cloud: stores it, with our epoch. Error::Superseded unless its version
    // is above the stored ones.
    Status begin(keystore::CloudRecord& cloud, Moment now);
    // The cloud on trial has got its answer under a session of its own.
    void on_proved() { is_proved_ = true; }
    // The owner confirms the cloud on trial. Error::Superseded if there is none of this version;
    // Error::WrongState if it has not proved itself; Error::StorageFailed: the trial goes on.
    Status confirm(std::uint32_t version);
    // True if a trial has ended now, and the cloud before it counts again.
    bool end(Moment now);
    bool is_on_trial() const { return is_on_trial_; }

  private:
    // The cloud that the owner has confirmed last; version 0: there is none.
    Status load_confirmed(keystore::CloudRecord& cloud) const;
    // Whatever of a cloud has been loaded counts in its epoch alone.
    Status keep_valid(Status loaded, keystore::CloudRecord& cloud) const;
    void forget_trial();

    hal::Storage* storage_ = nullptr;  // since load()
    std::uint32_t epoch_ = 0;
    bool is_on_trial_ = false;
    bool is_proved_ = false;
    Moment began_{};
    keystore::CloudRecord cloud_;  // that of cloud(); version 0: there is none
};

}  // namespace sotto::session
