// SPDX-License-Identifier: Apache-2.0
#include "core/session/network.hpp"

#include "core/session/limits.hpp"

namespace sotto::session {

Status CloudTrial::load(hal::Storage& storage, std::uint32_t epoch, Moment now) {
    storage_ = &storage;
    epoch_ = epoch;
    SOTTO_TRY(load_confirmed(cloud_));
    keystore::CloudRecord trial;
    SOTTO_TRY(keep_valid(keystore::load_trial_cloud(storage, trial), trial));
    is_on_trial_ = trial.version > cloud_.version;  // otherwise it has been decided
    if (is_on_trial_) cloud_ = trial;
    began_ = now;
    is_proved_ = false;
    return {};
}

void CloudTrial::reset(std::uint32_t epoch) {
    epoch_ = epoch;
    cloud_.version = 0;
    is_on_trial_ = false;
}

Status CloudTrial::load_confirmed(keystore::CloudRecord& cloud) const {
    return keep_valid(keystore::load_cloud(*storage_, cloud), cloud);
}

Status CloudTrial::keep_valid(Status loaded, keystore::CloudRecord& cloud) const {
    if (loaded && cloud.epoch == epoch_) return {};
    cloud.version = 0;
    if (!loaded && loaded.error() != Error::NotFound) return loaded;
    return {};
}

Status CloudTrial::begin(keystore::CloudRecord& cloud, Moment now) {
    if (cloud.version <= cloud_.version) return Error::Superseded;
    cloud.epoch = epoch_;
    SOTTO_TRY(keystore::store_trial_cloud(*storage_, cloud));
    cloud_ = cloud;
    is_on_trial_ = true;
    began_ = now;
    is_proved_ = false;
    return {};
}

Status CloudTrial::confirm(std::uint32_t version) {
    if (!is_on_trial_ || cloud_.version != version) return Error::Superseded;
    if (!is_proved_) return Error::WrongState;
    SOTTO_TRY(keystore::store_cloud(*storage_, cloud_));
    forget_trial();
    return {};
}

bool CloudTrial::end(Moment now) {
    if (!is_on_trial_ || !has_passed(began_, kCloudTrial, now)) return false;
    // The version only rises. If storage fails, the trial begins again at the next boot.
    keystore::CloudRecord former;
    if (!load_confirmed(former)) return false;
    if (former.version != 0) {
        former.version = cloud_.version;
        if (!keystore::store_cloud(*storage_, former)) return false;
    }
    cloud_ = former;
    forget_trial();
    return true;
}

void CloudTrial::forget_trial() {
    is_on_trial_ = false;
    // Should this fail: its version is that of the other record, or it is tried once more.
    (void)keystore::erase_trial_cloud(*storage_).has_value();
}

}  // namespace sotto::session
