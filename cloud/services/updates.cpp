// SPDX-License-Identifier: Apache-2.0
#include "cloud/services/updates.hpp"

#include <set>
#include <utility>

namespace sotto::cloud::services {

void Updates::begin(Order order) {
    const auto answer = [&order](UpdateError error, const char* why) {
        const UpdateResult refusal{refuse(error, why)};
        order.on_begun(refusal);
        if (order.on_end) order.on_end(refusal);
    };
    if (jobs_.contains(order.device))
        return answer(UpdateError::Busy, "an update of this device is under way already");
    if (devices_.find(order.device, order.owner) == nullptr)
        return answer(UpdateError::NotConnected, "the device is not connected");
    if (const FirmwarePtr known = find_equal(*order.firmware)) order.firmware = known;
    if (jobs_.size() >= kUpdatesMax || image_bytes(*order.firmware) > kUpdateBytesMax)
        return answer(UpdateError::Busy, "too many updates are under way; try again later");
    const model::DeviceId device = order.device;
    jobs_.emplace(
        device, Job{.order = std::move(order), .answer_until = config_.now() + kUpdateAnswerTime});
    try_to(device);
}

// Each image once, however many devices are sent it.
std::size_t Updates::image_bytes(const Firmware& another) const {
    std::set<const Firmware*> images{&another};
    std::size_t bytes = another.bytes.size();
    for (const auto& [device, job] : jobs_) {
        const Firmware* const image = job.order.firmware.get();
        if (images.insert(image).second) bytes += image->bytes.size();
    }
    return bytes;
}

// Whoever sends one to many devices sends it many times.
FirmwarePtr Updates::find_equal(const Firmware& firmware) const {
    std::set<const Firmware*> images;
    for (const auto& [device, job] : jobs_) {
        const FirmwarePtr& known = job.order.firmware;
        if (images.insert(known.get()).second && known->name == firmware.name &&
            known->bytes == firmware.bytes)
            return known;
    }
    return nullptr;
}

void Updates::try_to(const model::DeviceId& device) {
    const auto job = jobs_.find(device);
    if (job == jobs_.end()) return;
    OpenDevice* const line = devices_.find(device, job->second.order.owner);
    if (line == nullptr) return;
    const std::uint64_t number = job->second.number = ++last_number_;
    ++job->second.tries;
    job->second.taken = 0;
    job->second.return_until.reset();
    line->update(job->second.order.firmware,
                 {.on_progress =
                      [this, device, number](std::size_t taken) {
                          const auto found = find_try(device, number);
                          if (found != jobs_.end()) on_progress(found, taken);
                      },
                  .on_end =
                      [this, device, number](const UpdateResult& result) {
                          const auto found = find_try(device, number);
                          if (found != jobs_.end()) on_end(found, result);
                      }});
}

Updates::Jobs::iterator Updates::find_try(const model::DeviceId& device, std::uint64_t number) {
    const auto job = jobs_.find(device);
    return job != jobs_.end() && job->second.number == number ? job : jobs_.end();
}

void Updates::on_progress(Jobs::iterator found, std::size_t taken) {
    Job& job = found->second;
    say_begun(job, {});
    job.taken = taken;
    const std::size_t tenths = taken * 10 / job.order.firmware->bytes.size();
    if (tenths <= job.told || tenths == 10) return;
    job.told = tenths;
    tell(job, "progress " + std::to_string(tenths * 10) + "%");
}

void Updates::say_begun(Job& job, const UpdateResult& result) {
    if (std::exchange(job.is_begun, true)) return;
    if (result) tell(job, "started " + job.order.firmware->name);
    job.order.on_begun(result);
}

void Updates::on_end(Jobs::iterator job, const UpdateResult& result) {
    if (result || result.error().error != UpdateError::Interrupted) return finish(job, result);
    if (job->second.tries >= kUpdateTriesMax) return finish(job, result);
    job->second.return_until = config_.now() + kUpdateReturnTime;
}

void Updates::finish(Jobs::iterator found, const UpdateResult& result) {
    Job job = std::move(found->second);
    jobs_.erase(found);
    const bool was_begun = job.is_begun;
    say_begun(job, result);
    if (was_begun || result)
        tell(job, result ? std::string{"success "} : "failed " + result.error().why);
    if (job.order.on_end) job.order.on_end(result);
}

// A device that has a new connection has lost the former one, even if that does not know it yet.
void Updates::on_online(const model::DeviceId& device, model::AccountId owner) {
    const auto job = jobs_.find(device);
    if (job == jobs_.end() || job->second.order.owner != owner) return;
    if (job->second.tries >= kUpdateTriesMax)
        return finish(
            job,
            refuse(UpdateError::Interrupted, "the connection of the device ended again and again"));
    const std::uint64_t number = job->second.number;
    config_.later([this, device, number] {
        if (find_try(device, number) != jobs_.end()) try_to(device);
    });
}

void Updates::on_time() {
    const Instant now = config_.now();
    for (auto next = jobs_.begin(); next != jobs_.end();) {
        const auto job = next++;
        if (now >= job->second.answer_until) say_begun(job->second, {});
        if (job->second.return_until && now >= *job->second.return_until)
            finish(job,
                   refuse(UpdateError::Interrupted,
                          "the device went away in the middle of it and did not come back"));
    }
}

std::optional<Updates::State> Updates::find(const model::DeviceId& device,
                                            model::AccountId owner) const {
    const auto job = jobs_.find(device);
    if (job == jobs_.end() || job->second.order.owner != owner) return std::nullopt;
    return State{.taken = job->second.taken,
                 .size = job->second.order.firmware->bytes.size(),
                 .tries = job->second.tries,
                 .is_waiting = job->second.return_until.has_value()};
}

void Updates::tell(const Job& job, std::string data) {
    devices_.tell_of(
        job.order.device, job.order.owner, {.name = "spark/flash/status", .data = std::move(data)});
}

}  // namespace sotto::cloud::services
