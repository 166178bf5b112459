// SPDX-License-Identifier: Apache-2.0
// A central on adapters of BlueZ: every device in reach that has a service of ours is a place, the
// path of its object. Allocates; does not block but as Bus says; everything happens in the thread
// that runs the io_context.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "air/bluez/bluez_link.hpp"
#include "air/bluez/bus.hpp"
#include "air/bluez/pacer.hpp"
#include "air/bluez/startup.hpp"
#include "air/bluez/visit.hpp"
#include "air/central.hpp"
#include "core/framing/limits.hpp"

namespace sotto::air::bluez {

class BluezCentral final : public Central, private Bus::Listener {
  public:
    struct Options {
        std::vector<std::string> adapters{};  // hci0, ...; none named: all there are
        std::size_t value_size_max = framing::kValueSizeMax;
        bool takes_bluz = false;  // devices of the bluz service, too
    };

    BluezCentral(boost::asio::io_context& loop, Bus& bus, Options options);
    ~BluezCentral();
    BluezCentral(const BluezCentral&) = delete;
    BluezCentral& operator=(const BluezCentral&) = delete;

    void set_is_welcome(IsWelcome is_welcome) override { is_welcome_ = std::move(is_welcome); }
    // Devices that have been heard of late, each through the adapter that hears it best.
    std::vector<Place> places() override;
    bool may_connect(std::size_t kept_free) const override;
    // Connects to everybody in reach who is welcome. Who was found stays connected until one is
    // chosen by connect().
    void scan(Duration limit, IsWanted is_wanted, ScanDone done) override;
    std::unique_ptr<Link> connect(const Place& place,
                                  LinkHandler& handler,
                                  Duration patience) override;

    std::vector<Radio> radios() const override;
    std::string outage() const override { return bus_.outage(); }
    std::string trouble(const Place& place) const override;
    std::optional<LinkQuality> quality(const Place& place) const override;
    void set_pace(const Place& place, const Pace& pace) override;

  private:
    class Scan;

    std::unique_ptr<Link> make_link(const Place& place, LinkHandler& handler, Duration patience);
    void visit(const Place& place);

    void on_objects() override;
    void take_step(const Path& adapter, std::uint64_t serial, std::size_t step);
    bool is_mine(const std::string& adapter) const;
    bool is_linked(const Path& device) const;
    bool is_leaving(const Path& device) const;
    bool is_better(const DeviceView& a, const DeviceView& b) const;
    bool is_welcome(const DeviceView& device) const;
    std::vector<DeviceView> heard() const;
    void note_devices();

    boost::asio::io_context& loop_;
    Bus& bus_;
    Options options_;
    struct Adapter {
        Startup startup;
        std::string refusal{};  // its latest answer, if it was no
    };
    std::map<Path, Adapter> adapters_;
    std::map<Path, std::shared_ptr<Pacer>> pacers_;  // by adapter
    std::vector<std::weak_ptr<const LinkState>> links_;
    std::map<Place, std::shared_ptr<Visit>> visits_;  // of a scan
    IsWelcome is_welcome_;
    // A device, for as long as somebody is to be welcome and others not.
    struct Known {
        std::uint64_t serial = 0;
        Instant since{};
        bool is_of_others = false;  // it was connected, and not by us
        bool is_forgotten = false;  // BlueZ was told to
    };
    std::map<Path, Known> known_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace sotto::air::bluez
