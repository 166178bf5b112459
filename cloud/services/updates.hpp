// SPDX-License-Identifier: Apache-2.0
// Updates of the firmware of open devices, from the order to the end: over several connections, if
// the device is lost in between and comes back. What becomes of one is published as an event of the
// device, spark/flash/status, and told to whoever gave the order: REST, or a roll-out. A device has
// one update at a time. Allocates; never blocks; pure.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "cloud/services/limits.hpp"
#include "cloud/services/open_devices.hpp"

namespace sotto::cloud::services {

class Updates {
  public:
    struct Config {
        std::function<Instant()> now;
        std::function<void(std::function<void()>)> later;  // calls it soon, from outside
    };
    // `devices` must live as long as this.
    Updates(OpenDevices& devices, Config config) : devices_(devices), config_(std::move(config)) {}
    Updates(const Updates&) = delete;
    Updates& operator=(const Updates&) = delete;

    struct Order {
        model::DeviceId device{};
        model::AccountId owner{};
        FirmwarePtr firmware{};
        // Once: the device is ready for it, or seems to take its time, or will not be updated.
        std::function<void(const UpdateResult&)> on_begun{};
        // Once, and after on_begun.
        std::function<void(const UpdateResult&)> on_end{};
    };
    void begin(Order order);

    // From OpenDevices: what was interrupted goes on, from its beginning.
    void on_online(const model::DeviceId& device, model::AccountId owner);
    // To be called about once in a second.
    void on_time();

    struct State {
        std::size_t taken = 0;  // bytes
        std::size_t size = 0;
        int tries = 1;
        bool is_waiting = false;  // for the device to come back
    };
    std::optional<State> find(const model::DeviceId& device, model::AccountId owner) const;
    std::size_t count() const { return jobs_.size(); }

  private:
    struct Job {
        Order order;
        std::uint64_t number = 0;  // of the try, of all
        int tries = 0;
        std::size_t taken = 0;
        std::size_t told = 0;  // tenths
        bool is_begun = false;
        std::optional<Instant> return_until{};  // it is waited for
        Instant answer_until{};
    };
    using Jobs = std::map<model::DeviceId, Job>;

    static UpdateFailure refuse(UpdateError error, const char* why) { return {error, why}; }
    // Of all images, if this is one of them.
    std::size_t image_bytes(const Firmware& another) const;
    FirmwarePtr find_equal(const Firmware& firmware) const;
    void try_to(const model::DeviceId& device);
    // None if this try is over.
    Jobs::iterator find_try(const model::DeviceId& device, std::uint64_t number);
    void on_progress(Jobs::iterator job, std::size_t taken);
    void on_end(Jobs::iterator job, const UpdateResult& result);
    void say_begun(Job& job, const UpdateResult& result);
    void finish(Jobs::iterator job, const UpdateResult& result);
    void tell(const Job& job, std::string data);

    OpenDevices& devices_;
    Config config_;
    Jobs jobs_;
    std::uint64_t last_number_ = 0;
};

}  // namespace sotto::cloud::services
