// SPDX-License-Identifier: Apache-2.0
// System parts of Device OS that the operator has put in a folder, and their way to legacy devices
// that start in safe mode because they lack them. Read once, at the start. Allocates; does not
// block after that.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <variant>
#include <vector>

#include "cloud/particle/description.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/services/updates.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

class SystemParts {
  public:
    struct Part {
        particle::ModuleHeader header{};
        services::FirmwarePtr firmware{};
    };

    // Whatever is a whole part in the folder, at most kSystemPartsMax of them; the log says what is
    // none. Error::NotFound if there is no such folder.
    static Result<SystemParts> load(const std::filesystem::path& folder, ports::Log& log);
    void add(Part part) { parts_.push_back(std::move(part)); }
    std::size_t count() const { return parts_.size(); }

    // What to send first to a device that has `installed` and lacks `wanted`: the oldest part that
    // does, or one that this one needs before. A module: that is not here.
    std::variant<const Part*, particle::Module> choose(std::uint16_t platform,
                                                       const particle::Description& installed,
                                                       const particle::Module& wanted) const;

  private:
    const Part* find(std::uint16_t platform, const particle::Module& wanted) const;

    std::vector<Part> parts_;
};

// What devices in safe mode get, and their owners are told.
class Healer {
  public:
    struct Setup {
        const SystemParts& parts;
        services::OpenDevices& devices;
        services::Updates& updates;
        std::function<Instant()> now;
    };
    explicit Healer(Setup setup) : setup_(std::move(setup)) {}

    // A device is in safe mode. It is looked after when its owner is known.
    void on_safe_mode(const model::DeviceId& device,
                      std::uint16_t platform,
                      const particle::Description& description);
    // To be called about once in a second.
    void on_time();

  private:
    struct Patient {
        std::uint16_t platform = 0;
        particle::Description description{};
        Instant until{};  // its owner must be known
    };
    struct Sent {
        particle::Module module{};
        int tries = 0;
    };

    void look_after(const model::DeviceId& device, model::AccountId owner, const Patient& patient);
    bool may_send(const model::DeviceId& device, const particle::Module& module);

    Setup setup_;
    std::map<model::DeviceId, Patient> waiting_;
    std::map<model::DeviceId, Sent> sent_;
};

}  // namespace sotto::cloud::server
