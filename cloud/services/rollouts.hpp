// SPDX-License-Identifier: Apache-2.0
// Brings the devices of products to the firmware that they are to have: each when it comes, or at
// once where a release says so, at a moment that is drawn, as its release's Rollout allows, and not
// again at once where it failed. An update has succeeded when the device is back with its version.
// Nothing is lost with a restart: a device that comes back without its version is begun with anew.
// Allocates; never blocks; pure.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "cloud/services/fleet.hpp"
#include "cloud/services/open_devices.hpp"
#include "cloud/services/rollout.hpp"
#include "cloud/services/updates.hpp"
#include "cloud/store/store.hpp"

namespace sotto::cloud::services {

class Rollouts {
  public:
    struct Config {
        std::function<Instant()> now;
        // A number below this one.
        std::function<std::uint32_t(std::uint32_t)> draw;
        Duration spread = minutes(1);  // over which devices are begun with
        std::function<void(const model::ReleaseRecord&)> on_stopped{};
    };
    // What it refers to must live as long as this.
    Rollouts(
        store::Store& store, Fleet& fleet, OpenDevices& devices, Updates& updates, Config config)
        : store_(store),
          fleet_(fleet),
          devices_(devices),
          updates_(updates),
          config_(std::move(config)) {}
    Rollouts(const Rollouts&) = delete;
    Rollouts& operator=(const Rollouts&) = delete;

    // From OpenDevices, after Updates.
    void on_online(const model::DeviceId& device, model::AccountId owner);
    // A release that has been put into the fleet.
    void on_release(const model::ReleaseRecord& release);
    // The device may have to have another firmware now; `is_now`: its user wants that at once.
    void on_changed(const model::DeviceId& device, model::AccountId owner, bool is_now);
    // To be called about once in a second.
    void on_time();

    struct Progress {
        std::size_t waiting = 0;   // connected, and not begun with
        std::size_t updating = 0;  // until they are back
    };
    Progress progress(model::ReleaseId release) const;

  private:
    enum class Stage : std::uint8_t { Waiting, Loading, Updating, Returning };
    struct Job {
        model::AccountId owner{};
        model::ProductId product{};
        model::FirmwareVersion version = 0;
        model::ReleaseId release{};  // 0: its user wants it for this device
        Stage stage = Stage::Waiting;
        Instant until{};  // waiting: when it is begun; returning: when it is given up
        std::uint64_t number = 0;
    };
    using Jobs = std::map<model::DeviceId, Job>;

    void consider(const model::DeviceId& device, model::AccountId owner, bool is_now);
    void look_at_retries();
    bool has_version(const model::DeviceId& device, const Job& job) const;
    Rollout* rollout_of(const Job& job);
    void begin(Jobs::iterator job);
    void with_image(const Job& job, std::function<void(FirmwarePtr)> done);
    void update(const model::DeviceId& device, std::uint64_t number, FirmwarePtr firmware);
    Jobs::iterator find(const model::DeviceId& device, std::uint64_t number);
    void on_ended(Jobs::iterator job, const UpdateResult& result);
    void succeed(Jobs::iterator job);
    void fail(Jobs::iterator job, const std::string& why);
    void give_back(Jobs::iterator job);
    bool note_trouble(const model::DeviceId& device, const Job& job, const std::string& why);
    void set_trouble(const model::ProductDevice& device,
                     model::AccountId owner,
                     model::UpdateTrouble trouble);
    void save(const Rollout& rollout, model::AccountId owner);

    store::Store& store_;
    Fleet& fleet_;
    OpenDevices& devices_;
    Updates& updates_;
    Config config_;
    Jobs jobs_;
    std::map<model::ReleaseId, Rollout> rollouts_;
    std::map<std::pair<model::ProductId, model::FirmwareVersion>, std::weak_ptr<const Firmware>>
        images_;
    std::uint64_t last_number_ = 0;
    Instant retries_at_{};
};

}  // namespace sotto::cloud::services
