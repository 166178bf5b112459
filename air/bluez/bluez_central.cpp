// SPDX-License-Identifier: Apache-2.0
#include "air/bluez/bluez_central.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "air/bluez/limits.hpp"

namespace sotto::air::bluez {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

// What an adapter is brought to do, after Startup::kPower.
enum Step : std::size_t { Filter = Startup::kPower + 1, Discover, StepCount };

constexpr std::int64_t kRssiUnknown = -128;

}  // namespace

BluezCentral::BluezCentral(asio::io_context& loop, Bus& bus, Options options)
    : loop_(loop), bus_(bus), options_(std::move(options)) {
    options_.value_size_max =
        framing::agreed_value_size(options_.value_size_max, framing::kValueSizeMax);
    bus_.listen(*this);
}

// Connects to everybody in reach and hears who it is: the radio tells strangers nothing that stays.
class BluezCentral::Scan : public std::enable_shared_from_this<Scan> {
  public:
    Scan(BluezCentral& central, IsWanted is_wanted, ScanDone done)
        : central_(central),
          alive_(central.is_alive_),
          timer_(central.loop_),
          is_wanted_(std::move(is_wanted)),
          done_(std::move(done)) {}

    void start(Duration limit) {
        end_at_ = central_.bus_.now() + limit;
        look();
    }

  private:
    void look() {
        if (alive_.expired()) return;
        if (central_.bus_.now() >= end_at_ || is_found()) return finish();
        std::erase_if(central_.visits_, [](const auto& item) {
            return item.second->is_over() && !item.second->seen();
        });
        for (const Place& place : central_.places()) {
            if (!central_.visits_.contains(place) && central_.may_connect(0)) central_.visit(place);
        }
        timer_.expires_after(std::chrono::milliseconds{kTick.ms});
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->look();
        });
    }
    bool is_found() const {
        const auto& visits = central_.visits_;
        return is_wanted_ && std::any_of(visits.begin(), visits.end(), [&](const auto& item) {
                   const auto& seen = item.second->seen();
                   return seen && is_wanted_(*seen);
               });
    }
    void finish() {
        std::vector<Sighting> sightings;
        for (const auto& [place, visit] : central_.visits_) {
            if (visit->seen()) sightings.push_back(*visit->seen());
        }
        std::exchange(done_, nullptr)(std::move(sightings));
    }

    BluezCentral& central_;
    std::weak_ptr<bool> alive_;
    asio::steady_timer timer_;
    IsWanted is_wanted_;
    ScanDone done_;
    Instant end_at_;
};

void BluezCentral::visit(const Place& place) {
    const auto visit = std::make_shared<Visit>(loop_);
    visits_.emplace(place, visit);
    visit->begin(make_link(place, *visit, {}));
}

void BluezCentral::scan(Duration limit, IsWanted is_wanted, ScanDone done) {
    visits_.clear();
    std::make_shared<Scan>(*this, std::move(is_wanted), std::move(done))->start(limit);
}

BluezCentral::~BluezCentral() { bus_.leave(*this); }

bool BluezCentral::is_mine(const std::string& adapter) const {
    return options_.adapters.empty() ||
           std::find(options_.adapters.begin(), options_.adapters.end(), adapter) !=
               options_.adapters.end();
}

void BluezCentral::on_objects() {
    const auto adapters = bus_.objects().adapters();
    for (const AdapterView& adapter : adapters) {
        if (is_mine(name_of(adapter.path)))
            adapters_.try_emplace(adapter.path, Adapter{Startup{StepCount}});
    }
    if (is_welcome_) note_devices();
    const Instant now = bus_.now();
    for (auto& [path, mine] : adapters_) {
        Startup& startup = mine.startup;
        const auto found =
            std::find_if(adapters.begin(), adapters.end(), [&, &name = path](const auto& adapter) {
                return adapter.path == name;
            });
        const AdapterView* adapter = found == adapters.end() ? nullptr : &*found;
        // BlueZ has stopped looking around, whoever made it.
        if (adapter != nullptr && startup.is_done() && !adapter->is_discovering &&
            now >= startup.done_at() + kDiscoveringTimeMax)
            startup.redo(Discover, now);
        if (const auto step = startup.next(adapter, now)) take_step(path, adapter->serial, *step);
    }
}

void BluezCentral::take_step(const Path& adapter, std::uint64_t serial, std::size_t step) {
    Bus::Done done = [this, alive = std::weak_ptr{is_alive_}, adapter, serial, step](
                         const std::string& error) {
        if (alive.expired()) return;
        // Already under way: somebody's earlier call.
        const bool is_ok = error.empty() || (step == Discover && error.ends_with(".InProgress"));
        Adapter& mine = adapters_.at(adapter);
        mine.startup.on_reply(serial, is_ok, bus_.now());
        mine.refusal = is_ok ? "" : error;
    };
    if (step == Startup::kPower) return bus_.power_on(adapter, std::move(done));
    if (step == Discover)
        return bus_.call(adapter, kAdapter, "StartDiscovery", std::move(done), 10s);
    std::vector<std::string> uuids{kSottoUuids.service};
    if (options_.takes_bluz) uuids.emplace_back(kBluzUuids.service);
    const VariantMap filter{{"UUIDs", sdbus::Variant{uuids}},
                            {"Transport", sdbus::Variant{std::string{"le"}}}};
    bus_.call(adapter, kAdapter, "SetDiscoveryFilter", std::move(done), 10s, filter);
}

bool BluezCentral::is_linked(const Path& device) const {
    return std::any_of(links_.begin(), links_.end(), [&](const auto& link) {
        const auto state = link.lock();
        return state && state->place == device && !state->is_leaving;
    });
}

bool BluezCentral::is_leaving(const Path& device) const {
    return std::any_of(links_.begin(), links_.end(), [&](const auto& link) {
        const auto state = link.lock();
        return state && state->place == device && state->is_leaving;
    });
}

// Of two ways to one device.
bool BluezCentral::is_better(const DeviceView& a, const DeviceView& b) const {
    if (is_linked(a.path) != is_linked(b.path)) return is_linked(a.path);
    if (a.is_connected != b.is_connected) return a.is_connected;
    return a.rssi.value_or(kRssiUnknown) > b.rssi.value_or(kRssiUnknown);
}

// BlueZ goes on calling a device what it was called, or what it calls itself in GATT: of one that
// somebody else had connected it is to forget that.
void BluezCentral::note_devices() {
    std::map<Path, Known> known;
    for (const DeviceView& device : bus_.objects().devices()) {
        const auto found = known_.find(device.path);
        const bool is_same = found != known_.end() && found->second.serial == device.serial;
        Known& entry = known[device.path];
        entry = is_same ? found->second : Known{.serial = device.serial, .since = bus_.now()};
        const bool is_ours = is_linked(device.path) || is_leaving(device.path);
        if (is_ours) continue;
        if (device.is_connected) {
            entry.is_of_others = true;
        } else if (entry.is_of_others && device.is_paired) {
            entry.is_of_others = false;
        } else if (entry.is_of_others && !std::exchange(entry.is_forgotten, true)) {
            bus_.call(
                device.adapter,
                kAdapter,
                "RemoveDevice",
                [](const std::string&) {},
                10s,
                sdbus::ObjectPath{device.path});
        }
    }
    known_ = std::move(known);
}

// [AIR-72] Name or tag come in the scan response, which may be heard later.
bool BluezCentral::is_welcome(const DeviceView& device) const {
    if (!is_welcome_ || device.service == framing::Service::Bluz || is_linked(device.path))
        return true;
    const auto known = known_.find(device.path);
    if (device.is_connected || known == known_.end() || known->second.is_of_others) return false;
    if (device.name.empty() && bus_.now() < known->second.since + kNameTimeMax) return false;
    return is_welcome_(framing::tag_of(device.name));
}

// Each device once.
std::vector<DeviceView> BluezCentral::heard() const {
    std::map<std::string, DeviceView> best;  // by address
    for (DeviceView& device : bus_.objects().devices()) {
        const auto adapter = adapters_.find(device.adapter);
        const bool is_up = adapter != adapters_.end() && adapter->second.startup.is_done();
        const bool is_heard = device.is_connected || device.rssi;
        const bool is_wanted = options_.takes_bluz || device.service == framing::Service::Sotto;
        if (!is_up || !is_heard || !is_wanted || is_leaving(device.path)) continue;
        if (!is_welcome(device)) continue;
        const auto [found, is_new] = best.try_emplace(device.address, device);
        if (!is_new && is_better(device, found->second)) found->second = std::move(device);
    }
    std::vector<DeviceView> devices;
    for (auto& [address, device] : best) devices.push_back(std::move(device));
    return devices;
}

std::vector<Place> BluezCentral::places() {
    std::erase_if(links_, [](const auto& link) { return link.expired(); });
    std::vector<Place> places;
    for (const DeviceView& device : heard()) places.push_back(device.path);
    return places;
}

bool BluezCentral::may_connect(std::size_t kept_free) const {
    const auto coming = std::count_if(links_.begin(), links_.end(), [](const auto& link) {
        const auto state = link.lock();
        return state && !state->is_up && !state->is_leaving;
    });
    return static_cast<std::size_t>(coming) + kept_free < kConnectingMax;
}

std::unique_ptr<Link> BluezCentral::connect(const Place& place,
                                            LinkHandler& handler,
                                            Duration patience) {
    const auto visits = std::exchange(visits_, {});  // the others are let go
    const auto visited = visits.find(place);
    const bool is_here =
        visited != visits.end() && visited->second->seen() && !visited->second->is_over();
    if (is_here) return visited->second->hand_over(handler);
    return make_link(place, handler, patience);
}

std::unique_ptr<Link> BluezCentral::make_link(const Place& place,
                                              LinkHandler& handler,
                                              Duration patience) {
    auto link = std::make_unique<BluezLink>(
        loop_, bus_, BluezLink::Options{place, options_.value_size_max, patience}, handler);
    links_.push_back(link->state());
    return link;
}

std::vector<Radio> BluezCentral::radios() const {
    std::vector<Radio> radios;
    for (const auto& [path, adapter] : adapters_) {
        const bool is_scanning = adapter.startup.is_done();
        radios.push_back({.name = name_of(path),
                          .is_scanning = is_scanning,
                          .trouble = is_scanning ? "" : adapter.refusal});
    }
    for (const std::string& name : options_.adapters) {
        const bool is_known = std::any_of(
            radios.begin(), radios.end(), [&](const Radio& radio) { return radio.name == name; });
        if (!is_known) radios.push_back({.name = name, .trouble = "there is none"});
    }
    return radios;
}

std::string BluezCentral::trouble(const Place& place) const {
    std::string latest;
    for (const auto& link : links_) {
        const auto state = link.lock();
        if (state && state->place == place) latest = state->trouble;
    }
    return latest;
}

std::optional<LinkQuality> BluezCentral::quality(const Place& place) const {
    for (const auto& link : links_) {
        const auto state = link.lock();
        if (!state || !state->is_up || state->place != place) continue;
        const auto device = bus_.objects().device(place);
        LinkQuality quality{.value_size = state->value_size};
        if (!device) return quality;
        quality.rssi = device->rssi;
        if (const auto pacer = pacers_.find(device->adapter); pacer != pacers_.end())
            quality.pace = pacer->second->of(device->address).value_or(LinkPace{});
        return quality;
    }
    return std::nullopt;
}

void BluezCentral::set_pace(const Place& place, const Pace& pace) {
    const auto device = bus_.objects().device(place);
    if (!device) return;
    auto& pacer = pacers_[device->adapter];
    if (!pacer) pacer = std::make_shared<Pacer>(loop_, name_of(device->adapter));
    pacer->set(device->address, pace);
}

}  // namespace sotto::air::bluez
