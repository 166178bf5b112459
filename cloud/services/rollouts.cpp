// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/rollouts.hpp"

#include <algorithm>
#include <utility>

namespace sotto::cloud::services {

using namespace model;  // NOLINT(google-build-using-namespace): one vocabulary

namespace {

// After so many failures, one after the other, with one version.
Duration pause_after(std::uint16_t failures) {
    Duration pause = kUpdateRetryFirst;
    for (std::uint16_t i = 1; i < failures && pause < kUpdateRetryMax; ++i)
        pause = milliseconds(pause.ms * 4);
    return std::min(pause, kUpdateRetryMax);
}

// Whether it says nothing about the firmware: the device was not there, or had no time.
bool is_of_no_account(UpdateError error) {
    return error == UpdateError::NotConnected || error == UpdateError::Busy;
}

}  // namespace

void Rollouts::on_online(const DeviceId& device, AccountId owner) {
    const auto job = jobs_.find(device);
    if (job == jobs_.end() || job->second.owner != owner) return consider(device, owner, false);
    if (job->second.stage != Stage::Returning) return;
    if (has_version(device, job->second)) return succeed(job);
    const DeviceAttributes* const attributes = devices_.attributes_of(device);
    fail(job,
         "the device came back with version " + std::to_string(attributes->firmware_version) +
             " of product " + std::to_string(attributes->product_id));
}

bool Rollouts::has_version(const DeviceId& device, const Job& job) const {
    const DeviceAttributes* const attributes = devices_.attributes_of(device);
    return attributes != nullptr && attributes->product_id == job.product.value() &&
           attributes->firmware_version == job.version;
}

void Rollouts::on_release(const ReleaseRecord& release) {
    const Product* const product = fleet_.find(release.product);
    if (product == nullptr) return;
    const AccountId owner = product->record.account;
    std::vector<ProductDevice> devices;
    for (const auto& [id, device] : product->devices) {
        const auto target = target_of(*product, device);
        if (target && target->release != nullptr && target->release->id == release.id)
            devices.push_back(device);
    }
    for (const ProductDevice& device : devices) {
        // It is told again that it is to have it: what was is forgotten.
        if (device.trouble.version == release.version && device.trouble.failures > 0)
            set_trouble(device, owner, {});
        on_changed(device.device, owner, false);
    }
}

void Rollouts::on_changed(const DeviceId& device, AccountId owner, bool is_now) {
    const Product* const product = fleet_.product_of(owner, device);
    const ProductDevice* const member = product != nullptr ? product->member(device) : nullptr;
    const auto target = member != nullptr ? target_of(*product, *member) : std::nullopt;
    const auto job = jobs_.find(device);
    if (job != jobs_.end() && job->second.stage == Stage::Waiting) {
        const bool is_same = target && target->version == job->second.version &&
                             product->record.id == job->second.product && !is_now;
        if (is_same) return;
        jobs_.erase(job);
    }
    const ReleaseRecord* const release = target ? target->release : nullptr;
    if (is_now || (release != nullptr && release->is_immediate)) consider(device, owner, is_now);
}

void Rollouts::consider(const DeviceId& device, AccountId owner, bool is_now) {
    const Product* const product = fleet_.product_of(owner, device);
    if (product == nullptr || jobs_.contains(device)) return;
    const ProductDevice& member = *product->member(device);
    const auto target = target_of(*product, member);
    if (!target || !product->firmware.contains(target->version)) return;
    Job job{.owner = owner,
            .product = product->record.id,
            .version = target->version,
            .release = target->release != nullptr ? target->release->id : ReleaseId{},
            .number = ++last_number_};
    const Instant now = config_.now();
    const UpdateTrouble& trouble = member.trouble;
    const bool is_resting = trouble.version == target->version && trouble.failures > 0 &&
                            (now < trouble.retry_at || trouble.failures >= kUpdateFailuresMax);
    if (has_version(device, job) || (is_resting && !is_now)) return;
    if (target->release != nullptr && target->release->state != ReleaseState::Running) return;
    if (devices_.find(device, owner) == nullptr) return;
    job.until = now;
    if (!is_now) {
        const auto spread = static_cast<std::uint32_t>(config_.spread.ms) + 1;
        job.until = now + milliseconds(config_.draw(spread));
    }
    jobs_.emplace(device, job);
}

Rollout* Rollouts::rollout_of(const Job& job) {
    if (job.release == ReleaseId{}) return nullptr;
    const auto known = rollouts_.find(job.release);
    if (known != rollouts_.end()) return &known->second;
    const Product* const product = fleet_.find(job.product);
    if (product == nullptr) return nullptr;
    const auto found = std::ranges::find(product->releases, job.release, &ReleaseRecord::id);
    if (found == product->releases.end()) return nullptr;
    return &rollouts_.emplace(job.release, Rollout{*found}).first->second;
}

void Rollouts::on_time() {
    const Instant now = config_.now();
    for (auto next = jobs_.begin(); next != jobs_.end();) {
        const auto job = next++;
        if (now < job->second.until) continue;
        if (job->second.stage == Stage::Waiting)
            begin(job);
        else if (job->second.stage == Stage::Returning)
            fail(job, "the device did not come back after it");
    }
    if (now >= retries_at_) look_at_retries();
    // Where nobody is updated any more, the fleet knows all there is.
    std::erase_if(rollouts_, [this](const auto& entry) {
        return entry.second.active() == 0 && progress(entry.first).waiting == 0;
    });
    std::erase_if(images_, [](const auto& entry) { return entry.second.expired(); });
}

// Devices that have rested long enough and never went away.
void Rollouts::look_at_retries() {
    const Instant now = config_.now();
    retries_at_ = now + minutes(1);
    std::vector<std::pair<DeviceId, AccountId>> due;
    for (const auto& [id, product] : fleet_.all()) {
        for (const auto& [device, member] : product.devices) {
            if (member.trouble.failures > 0 && now >= member.trouble.retry_at)
                due.emplace_back(device, product.record.account);
        }
    }
    for (const auto& [device, owner] : due) consider(device, owner, false);
}

// What was drawn for it may be long ago: it is looked at anew.
void Rollouts::begin(Jobs::iterator found) {
    const DeviceId device = found->first;
    const Job& job = found->second;
    const Product* const product = fleet_.product_of(job.owner, device);
    const auto target = product != nullptr && product->record.id == job.product
                            ? target_of(*product, *product->member(device))
                            : std::nullopt;
    const bool is_due = target && target->version == job.version &&
                        product->firmware.contains(job.version) &&
                        devices_.find(device, job.owner) != nullptr && !has_version(device, job);
    if (!is_due) {
        jobs_.erase(found);
        return;
    }
    Rollout* const rollout = rollout_of(job);
    if (job.release != ReleaseId{}) {
        const bool is_running =
            rollout != nullptr && rollout->record().state == ReleaseState::Running;
        if (!is_running) {
            jobs_.erase(found);
            return;
        }
        if (!rollout->may_begin()) return;
        rollout->on_begun();
    }
    found->second.stage = Stage::Loading;
    with_image(job, [this, device, number = job.number](FirmwarePtr firmware) {
        const auto known = find(device, number);
        if (known == jobs_.end()) return;
        if (firmware == nullptr) return give_back(known);
        update(device, number, std::move(firmware));
    });
}

void Rollouts::with_image(const Job& job, std::function<void(FirmwarePtr)> done) {
    const std::pair key{job.product, job.version};
    if (const auto known = images_.find(key); known != images_.end()) {
        if (FirmwarePtr firmware = known->second.lock()) return done(std::move(firmware));
    }
    const Product* const product = fleet_.find(job.product);
    std::string name = product->firmware.at(job.version).file_name;
    store_.load_firmware(job.owner,
                         job.product,
                         job.version,
                         [this, key, name = std::move(name), done = std::move(done)](
                             Result<std::vector<std::uint8_t>> image) {
                             if (!image) return done(nullptr);
                             FirmwarePtr firmware = std::make_shared<const Firmware>(
                                 Firmware{.name = name, .bytes = *std::move(image)});
                             images_[key] = firmware;
                             done(std::move(firmware));
                         });
}

void Rollouts::update(const DeviceId& device, std::uint64_t number, FirmwarePtr firmware) {
    const auto job = find(device, number);
    job->second.stage = Stage::Updating;
    updates_.begin({.device = device,
                    .owner = job->second.owner,
                    .firmware = std::move(firmware),
                    .on_begun = [](const UpdateResult&) {},
                    .on_end =
                        [this, device, number](const UpdateResult& result) {
                            const auto known = find(device, number);
                            if (known != jobs_.end()) on_ended(known, result);
                        }});
}

Rollouts::Jobs::iterator Rollouts::find(const DeviceId& device, std::uint64_t number) {
    const auto job = jobs_.find(device);
    return job != jobs_.end() && job->second.number == number ? job : jobs_.end();
}

void Rollouts::on_ended(Jobs::iterator job, const UpdateResult& result) {
    if (!result && is_of_no_account(result.error().error)) return give_back(job);
    if (!result) return fail(job, result.error().why);
    if (has_version(job->first, job->second)) return succeed(job);
    job->second.stage = Stage::Returning;
    job->second.until = config_.now() + kUpdateReturnTime;
}

// It waits again, if it is there.
void Rollouts::give_back(Jobs::iterator found) {
    Job& job = found->second;
    if (Rollout* const rollout = rollout_of(job)) rollout->on_void();
    if (devices_.find(found->first, job.owner) == nullptr) {
        jobs_.erase(found);
        return;
    }
    job.stage = Stage::Waiting;
    job.until = config_.now() + kUpdateBusyPause;
}

void Rollouts::succeed(Jobs::iterator found) {
    const DeviceId device = found->first;
    const Job job = found->second;
    jobs_.erase(found);
    if (Rollout* const rollout = rollout_of(job)) {
        rollout->on_success();
        save(*rollout, job.owner);
    }
    const Product* const product = fleet_.find(job.product);
    const ProductDevice* const member = product != nullptr ? product->member(device) : nullptr;
    if (member != nullptr && member->trouble.failures > 0)
        set_trouble(ProductDevice{*member}, job.owner, {});
    consider(device, job.owner, false);  // another one may have been released meanwhile
}

void Rollouts::fail(Jobs::iterator found, const std::string& why) {
    const DeviceId device = found->first;
    const Job job = found->second;
    jobs_.erase(found);
    const bool is_first = note_trouble(device, job, why);
    consider(device, job.owner, false);
    Rollout* const rollout = rollout_of(job);
    if (rollout == nullptr) return;
    if (!is_first) return rollout->on_void();
    const bool is_stopped = rollout->on_failure(why);
    save(*rollout, job.owner);
    if (!is_stopped) return;
    const ReleaseRecord record = rollout->record();
    if (config_.on_stopped) config_.on_stopped(record);
    devices_.publish(job.owner,
                     {.name = "sotto/release/stopped",
                      .data = "version " + std::to_string(record.version) + ": " + record.why,
                      .cause = Cause::Own,
                      .product = record.product.value()});
}

// Whether it is the first one of this device with this version: one that fails again and again says
// no more about the release than that.
bool Rollouts::note_trouble(const DeviceId& device, const Job& job, const std::string& why) {
    const Product* const product = fleet_.find(job.product);
    const ProductDevice* const member = product != nullptr ? product->member(device) : nullptr;
    if (member == nullptr) return true;
    UpdateTrouble trouble{.version = job.version, .failures = 1, .why = why.substr(0, kWhySizeMax)};
    if (member->trouble.version == job.version && member->trouble.failures < 0xffff)
        trouble.failures = static_cast<std::uint16_t>(member->trouble.failures + 1);
    trouble.retry_at = config_.now() + pause_after(trouble.failures);
    const bool is_first = trouble.failures == 1;
    set_trouble(ProductDevice{*member}, job.owner, std::move(trouble));
    return is_first;
}

// Here at once, so that it counts from now on.
void Rollouts::set_trouble(const ProductDevice& device, AccountId owner, UpdateTrouble trouble) {
    ProductDevice changed = device;
    changed.trouble = trouble;
    fleet_.put(changed);
    store_.update_product_device(owner,
                                 device.product,
                                 device.device,
                                 {.trouble = std::move(trouble)},
                                 [this](const Result<ProductDevice>& saved) {
                                     if (saved) fleet_.put(*saved);
                                 });
}

void Rollouts::save(const Rollout& rollout, AccountId owner) {
    const Product* const product = fleet_.find(rollout.record().product);
    if (product == nullptr) return;
    ReleaseRecord record = rollout.record();
    const auto known = std::ranges::find(product->releases, record.id, &ReleaseRecord::id);
    if (known == product->releases.end()) return;
    record.groups = known->groups;  // they may have been renamed
    fleet_.put(record);
    store_.update_release(owner, record, [](const Status& /*ignored*/) {});
}

Rollouts::Progress Rollouts::progress(ReleaseId release) const {
    Progress progress;
    for (const auto& [device, job] : jobs_) {
        if (job.release != release) continue;
        ++(job.stage == Stage::Waiting ? progress.waiting : progress.updating);
    }
    return progress;
}

}  // namespace sotto::cloud::services
