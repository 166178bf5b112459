// SPDX-License-Identifier: Apache-2.0
// The open devices that are connected, whose they are, and what they say. Whoever holds their
// connections reports here; REST looks them up here. Nothing of one account reaches another.
// Allocates; never blocks; pure.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cloud/services/event_ring.hpp"
#include "cloud/services/open_device.hpp"

namespace sotto::cloud::services {

class OpenDevices {
  public:
    using Owner = std::optional<model::AccountId>;
    struct Config {
        // Asks who owns a device; answers once, now or later. An error: it could not be found out.
        std::function<void(const model::DeviceId&, std::function<void(Result<Owner>)>)> load_owner;
        // A device shows the code that its owner gave it; whoever knows the code calls set_owner(),
        // and end_claim_code() once nothing can come of it any more.
        std::function<void(const model::DeviceId&, const std::string& code)> on_claim_code;
        // What is to be remembered of a device that somebody owns: when it comes, and when it goes.
        std::function<void(const model::DeviceId&, const DeviceAttributes&)> save_traces;
        std::function<Instant()> now;
        // A device of this account is there. Do no more than begin.
        std::function<void(const model::DeviceId&, model::AccountId)> on_online{};
        // Every event, after it was spread. May publish others.
        std::function<void(const EventPtr&)> on_published{};
        // Whether load_owner is to be asked although it is known who owns the device, because of
        // what it says of itself.
        std::function<bool(const model::DeviceId&, Owner, const DeviceAttributes&)> must_ask{};
        // The product of the account in whose list the device is; 0: none.
        std::function<std::uint16_t(model::AccountId, const model::DeviceId&)> product_of{};
    };
    // `ring` must live as long as this.
    OpenDevices(EventRing& ring, Config config) : ring_(ring), config_(std::move(config)) {}
    OpenDevices(const OpenDevices&) = delete;
    OpenDevices& operator=(const OpenDevices&) = delete;

    // From the connections. A device that is connected already is replaced: the old connection is
    // told, and what it still reports is ignored. `line` must live until on_disconnected().
    // `known` is whose it is, if that was looked up since owners() had this count.
    struct Known {
        Owner owner{};
        std::uint64_t owners = 0;
    };
    void on_connected(const model::DeviceId& device,
                      OpenDevice& line,
                      std::optional<Known> known = std::nullopt);
    void on_disconnected(const model::DeviceId& device, OpenDevice& line);
    // What it published, system events (spark/...) included. The first kWaitingEventsMax are kept
    // while the owner is not known yet; those of a device without owner are forgotten.
    void on_event(const model::DeviceId& device, OpenDevice& line, Publication what);

    // From REST.
    // The device if it is connected and belongs to the account.
    OpenDevice* find(const model::DeviceId& device, model::AccountId owner) const;
    // What the user publishes.
    EventPtr publish(model::AccountId owner, Publication what);
    // What is to be said of a device of the account, whether or not it is connected.
    void tell_of(const model::DeviceId& device, model::AccountId owner, Publication what) {
        spread(owner, device, std::move(what));
    }
    // How often any of them has changed.
    std::uint64_t owners() const { return owners_; }
    // Who owns it from now on.
    void set_owner(const model::DeviceId& device, Owner owner);
    void end_claim_code(const model::DeviceId& device);
    // It is known by another key now, or not at all: its connection is closed.
    void disconnect(const model::DeviceId& device);
    // Of one that is connected, as far as it is known.
    Owner owner_of(const model::DeviceId& device) const {
        const auto found = lines_.find(device);
        return found == lines_.end() ? Owner{} : found->second.owner;
    }
    // What a connected one says of itself, whosever it is; nothing: it is not connected. Valid
    // until the next call.
    const DeviceAttributes* attributes_of(const model::DeviceId& device) const {
        const auto found = lines_.find(device);
        return found == lines_.end() ? nullptr : &found->second.device->attributes();
    }
    // Connected, and of no account: it may be claimed.
    bool is_connected(const model::DeviceId& device) const { return lines_.contains(device); }
    // What became of its connections since this started, while somebody owned it.
    struct Tally {
        std::uint64_t connections = 0;
        std::uint64_t disconnections = 0;
        std::uint64_t events = 0;
        Instant disconnected_at{};  // the last time
    };
    Tally tally_of(const model::DeviceId& device) const {
        const auto found = tallies_.find(device);
        return found == tallies_.end() ? Tally{} : found->second;
    }
    std::size_t count() const { return lines_.size(); }

  private:
    struct Line {
        OpenDevice* device;
        std::uint64_t number;  // of its coming
        bool is_known = false;
        Owner owner{};
        std::vector<Publication> waiting{};
    };

    void on_owner(const model::DeviceId& device, std::uint64_t number, const Result<Owner>& owner);
    void enter(const model::DeviceId& device, Line& line, Owner owner);
    void leave(const model::DeviceId& device, Line& line);
    void take(const model::DeviceId& device, Line& line, Publication what);
    Tally& count(const model::DeviceId& device);
    EventPtr spread(model::AccountId owner,
                    std::optional<model::DeviceId> publisher,
                    Publication what);

    EventRing& ring_;
    Config config_;
    std::uint64_t last_number_ = 0;
    std::uint64_t owners_ = 0;
    std::unordered_map<model::DeviceId, Line, model::IdHash> lines_;
    std::unordered_map<model::DeviceId, Tally, model::IdHash> tallies_;
    std::unordered_map<model::AccountId,
                       std::unordered_set<model::DeviceId, model::IdHash>,
                       model::IdHash>
        by_owner_;
};

}  // namespace sotto::cloud::services
