// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/gateway.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

#include "core/base/hex.hpp"
#include "core/base/reader.hpp"
#include "core/framing/uplink.hpp"

namespace sotto::gateway {

namespace {

using Direction = Capture::Direction;

constexpr std::chrono::milliseconds kTick{100};
constexpr int kTicksPerLook = 5;
// A link that lasted so long counts as a success.
constexpr Duration kSettledTime = seconds(5);
constexpr std::size_t kTroublesMax = 32;                 // that the status tells of
constexpr std::size_t kCrowd = 3 * relay::kLinksMax;     // devices in reach that are too many
constexpr std::size_t kKeptForKnown = 1;                 // of the links that come about
constexpr std::size_t kKnownMax = 256;                   // places
constexpr std::size_t kPeersMax = 2 * relay::kLinksMax;  // connected or connecting

std::vector<relay::Cloud> clouds_of(const std::vector<Uplink>& uplinks) {
    std::vector<relay::Cloud> clouds;
    for (const Uplink& uplink : uplinks) clouds.push_back(uplink.cloud);
    return clouds;
}

std::string text_of(air::Disconnect why) {
    switch (why) {
        case air::Disconnect::Busy:
            return "busy";
        case air::Disconnect::Closed:
            return "it closed the link";
        case air::Disconnect::NotFound:
            return "not found";
        case air::Disconnect::Timeout:
            return "it did not answer";
    }
    return "?";
}

std::string text_of(relay::Close why) {
    switch (why) {
        case relay::Close::Full:
            return "this gateway has all the devices it can take";
        case relay::Close::Misbehaved:
            return "it did not introduce itself as it should";
        case relay::Close::NotAdmitted:
            return "it is none of the devices that this gateway serves";
        case relay::Close::NotServed:
            return "it belongs to no cloud of this gateway";
        case relay::Close::Released:
            return "released for another central";
    }
    return "?";
}

// Over Bluetooth LE a device says who it is when it is connected.
std::string shown(const framing::DeviceId& id) {
    return id == framing::DeviceId{} ? "unknown" : to_hex<std::string>(id);
}

std::string text_of(relay::Break why) {
    switch (why) {
        case relay::Break::CreditExceeded:
            return "it sent more than it may";
        case relay::Break::Malformed:
            return "it sent something that is not the protocol";
        case relay::Break::NoWelcome:
            return "it did not answer";
        case relay::Break::NotConnected:
            return "it cannot be reached";
        case relay::Break::Refused:
            return "it refused this gateway";
        case relay::Break::Silent:
            return "it fell silent";
    }
    return "?";
}

std::string text_of(framing::uplink::Reason reason) {
    switch (reason) {
        case framing::uplink::Reason::BadToken:
            return "it does not know our token; check --token-file";
        case framing::uplink::Reason::Version:
            return "it speaks another version; update this gateway or the cloud";
        case framing::uplink::Reason::Full:
            return "it takes no more gateways now";
    }
    return "?";
}

}  // namespace

class Gateway::Peer final : public air::LinkHandler, public BluzPeer::Host {
  public:
    Peer(Gateway& gateway, air::Place place) : gateway_(gateway), place_(std::move(place)) {}

    void connect(air::Central& central) { link_ = central.connect(place_, *this, {}); }
    void close() { link_.reset(); }
    Status send(Bytes frame) {
        if (!link_) return Error::WrongState;
        SOTTO_TRY(link_->send(frame));
        bytes_out_ += frame.size();
        return {};
    }

    const air::Place& place() const { return place_; }
    const framing::DeviceId& device() const { return sighting_.device_id; }
    void set_device(const framing::DeviceId& id) { sighting_.device_id = id; }
    relay::LinkId id() const { return id_; }
    bool is_up() const { return id_ != relay::LinkId{}; }
    Instant since() const { return since_; }
    std::string name() const { return sighting_.name; }
    BluzPeer* bluz() const { return bluz_.get(); }  // null: a device of ours

    void on_connected(const air::Sighting& sighting) override {
        sighting_ = sighting;
        since_ = gateway_.now();
        if (sighting.service == framing::Service::Bluz) return start_bluz();
        id_ = gateway_.next_link();
        gateway_.on_link_up(*this);
    }
    void on_frame(Bytes frame) override {
        bytes_in_ += frame.size();
        gateway_.on_frame(*this, frame);
    }
    void on_dropped() override {
        if (!std::exchange(has_dropped_, true)) gateway_.on_dropped(*this);
    }
    void on_value(Bytes value) override {
        bytes_in_ += value.size();
        if (bluz_) bluz_->on_value(value);
    }
    void on_sent(std::size_t count) override {
        if (bluz_) return bluz_->on_values_sent(count);
        gateway_.on_sent(*this, count);
    }
    void on_disconnected(air::Disconnect why) override {
        if (bluz_) return gateway_.on_bluz_down(*this, why);
        gateway_.on_link_down(*this, why);
    }

    void write_value(Bytes value) override {
        if (link_ && link_->write(value)) bytes_out_ += value.size();
    }
    void let_go(std::optional<Duration> stay_away) override {
        gateway_.let_bluz_go(*this, stay_away);
    }
    void set_cloud(const std::string& cloud) { cloud_ = cloud; }
    bool is_offered() const { return !cloud_.empty(); }
    Report::Link report() const {
        const auto quality = gateway_.central_.quality(place_);
        const bool is_here = is_up() || bluz_ != nullptr;
        Report::Link link{.device = bluz_ ? bluz_->device() : shown(device()),
                          .name = name(),
                          .place = place_,
                          .service = bluz_ ? "bluz" : "sotto",
                          .is_up = is_here,
                          .cloud = cloud_,
                          .bytes_in = bytes_in_,
                          .bytes_out = bytes_out_};
        if (is_here) link.seconds = (now() - since_).ms / 1'000;
        if (quality) {
            link.rssi = quality->rssi;
            link.value_size = quality->value_size;
            if (const auto& granted = quality->pace.granted)
                link.interval = {granted->interval_us, granted->latency};
            link.interval_trouble = quality->pace.trouble;
        }
        return link;
    }
    Instant now() const override { return gateway_.now(); }
    relay::Jitter jitter() override { return gateway_.jitter(); }

  private:
    void start_bluz() {
        if (!gateway_.may_serve_bluz(*this)) return;
        bluz_ = std::make_unique<BluzPeer>(
            gateway_.loop_, gateway_.bluz_, sighting_.name, *this, gateway_.log_);
        bluz_->start();
    }

    Gateway& gateway_;
    air::Place place_;
    air::Sighting sighting_;
    relay::LinkId id_;
    Instant since_;
    std::string cloud_;
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
    bool has_dropped_ = false;
    std::unique_ptr<air::Link> link_;
    std::unique_ptr<BluzPeer> bluz_;
};

class Gateway::Cloud final : public uplink::ClientHandler {
  public:
    Cloud(Gateway& gateway, relay::CloudId id, const Uplink& uplink)
        : gateway_(gateway),
          id_(id),
          security_(uplink.security),
          client_(
              gateway.loop_,
              uplink.address,
              [this] { return security_.make_stream(gateway_.loop_); },
              *this) {}

    uplink::Client& client() { return client_; }
    // True if it is said for the first time since the cloud was reached.
    bool is_news(const std::string& why) {
        is_welcomed_ = false;
        return std::exchange(last_why_, why) != why;
    }
    void on_welcomed() {
        is_welcomed_ = true;
        last_why_.clear();
    }
    Report::Cloud report(const std::string& address) const {
        return {.address = address, .is_connected = is_welcomed_, .last_error = last_why_};
    }

    void on_up() override {
        gateway_.relay_.on_uplink_up(id_, gateway_.now());
        gateway_.pump();
    }
    void on_record(Bytes record) override { gateway_.on_cloud_record(id_, record); }
    void on_down(const std::string& why) override { gateway_.on_cloud_down(id_, why); }

  private:
    Gateway& gateway_;
    relay::CloudId id_;
    uplink::Security security_;
    uplink::Client client_;
    bool is_welcomed_ = false;
    std::string last_why_;
};

Gateway::Gateway(boost::asio::io_context& loop,
                 air::Central& central,
                 const std::vector<Uplink>& uplinks,
                 BluzService bluz,
                 Capture& capture,
                 Log& log,
                 relay::Admission admission)
    : loop_(loop),
      central_(central),
      bluz_(std::move(bluz)),
      capture_(capture),
      log_(log),
      timer_(loop),
      random_(std::random_device{}()),
      relay_(clouds_of(uplinks), admission) {
    if (admission.is_by_tag)
        central_.set_is_welcome([this](const std::optional<framing::Tag>& tag) {
            return relay_.is_welcome(tag, now());
        });
    for (const Uplink& uplink : uplinks) {
        const relay::CloudId id{static_cast<std::uint8_t>(clouds_.size())};
        clouds_.push_back(std::make_unique<Cloud>(*this, id, uplink));
    }
}

Gateway::~Gateway() { central_.set_is_welcome({}); }

void Gateway::start() {
    started_at_ = now();
    on_tick();
}

Report Gateway::report() const {
    Report report{.seconds = (now() - started_at_).ms / 1'000};
    for (std::size_t i = 0; i < clouds_.size(); ++i) {
        const relay::CloudId id{static_cast<std::uint8_t>(i)};
        report.clouds.push_back(clouds_[i]->report(relay_.address(id)));
        report.clouds.back().tags = relay_.tag_count(id);
    }
    report.outage = central_.outage();
    for (const air::Radio& radio : central_.radios())
        report.adapters.push_back(
            {.name = radio.name, .is_scanning = radio.is_scanning, .trouble = radio.trouble});
    for (const auto& [place, peer] : peers_) report.links.push_back(peer->report());
    for (const auto& [place, trouble] : troubles_)
        report.troubles.push_back({.place = place,
                                   .why = trouble.why,
                                   .seconds_ago = (now() - trouble.at).ms / 1'000,
                                   .count = trouble.count});
    return report;
}

void Gateway::remember_trouble(const Peer& peer, std::string why) {
    if (!troubles_.contains(peer.place()) && troubles_.size() >= kTroublesMax)
        troubles_.erase(
            std::min_element(troubles_.begin(), troubles_.end(), [](const auto& a, const auto& b) {
                return a.second.at < b.second.at;
            }));
    if (const std::string more = central_.trouble(peer.place()); !more.empty()) why += ": " + more;
    Trouble& trouble = troubles_[peer.place()];
    trouble = {.why = std::move(why), .at = now(), .count = trouble.count + 1};
}

void Gateway::on_tick() {
    relay_.on_time(now());
    pump();
    for (const auto& [place, peer] : std::map{peers_}) {  // a copy: some may go
        if (BluzPeer* bluz = peer->bluz()) bluz->on_time();
    }
    if (ticks_++ % kTicksPerLook == 0) look_around();
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) on_tick();
    });
}

// Connects whoever has come into reach, those first that it knows.
void Gateway::look_around() {
    auto places = central_.places();
    tell_crowd(places.size());
    tell_outage();
    std::partition(places.begin(), places.end(), [this](const air::Place& place) {
        return known_.contains(place);
    });
    for (const air::Place& place : places) {
        const std::size_t kept_free = known_.contains(place) ? 0 : kKeptForKnown;
        if (peers_.size() >= kPeersMax || !central_.may_connect(kept_free)) return;
        if (peers_.contains(place) || hold_offs_.is_held(place, now())) continue;
        const auto peer = std::make_shared<Peer>(*this, place);
        peers_.emplace(place, peer);
        peer->connect(central_);
    }
}

void Gateway::tell_crowd(std::size_t count) {
    if (count < kCrowd / 2) is_crowded_ = false;
    if (count < kCrowd || std::exchange(is_crowded_, true)) return;
    log_.warn("air-crowded",
              {{"devices", std::to_string(count)},
               {"next", "those that are known are connected first; said once"}});
}

void Gateway::tell_outage() {
    std::string outage = central_.outage();
    if (outage == outage_) return;
    outage_ = std::move(outage);
    if (outage_.empty()) return log_.info("air-back", {});
    log_.warn("air-gone", {{"why", outage_}});
}

void Gateway::remember_known(const Peer& peer) {
    const auto is_older = [](const auto& a, const auto& b) { return a.second < b.second; };
    if (!known_.contains(peer.place()) && known_.size() >= kKnownMax)
        known_.erase(std::min_element(known_.begin(), known_.end(), is_older));
    known_[peer.place()] = now();
}

void Gateway::on_link_up(Peer& peer) {
    links_.emplace(peer.id(), &peer);
    log_.info("device-here", {{"device", shown(peer.device())}, {"name", peer.name()}});
    relay_.on_link_up(peer.id(), now());
    pump();
}

void Gateway::on_frame(Peer& peer, Bytes frame) {
    capture_.frame(Direction::FromDevice, peer.device(), frame);
    if (!relay_.on_frame(peer.id(), frame, now())) peer.on_dropped();
    pump();
}

void Gateway::on_dropped(const Peer& peer) {
    log_.warn("device-nonsense",
              {{"device", shown(peer.device())},
               {"name", peer.name()},
               {"why", "it sent what is no frame; that is dropped, and said once"}});
}

void Gateway::on_sent(Peer& peer, std::size_t count) {
    relay_.on_sent(peer.id(), count);
    pump();
}

void Gateway::on_link_down(Peer& peer, air::Disconnect why) {
    remember_trouble(peer, text_of(why));
    const bool settled = peer.is_up() && now() >= peer.since() + kSettledTime;
    if (settled) {
        if (peer.is_offered()) remember_known(peer);
        hold_offs_.on_connected(peer.place());
    } else {
        hold_offs_.on_failed(peer.place(), now(), jitter());
    }
    if (peer.is_up()) {
        log_.info("device-gone", {{"device", shown(peer.device())}, {"why", text_of(why)}});
    } else {
        log_.debug("device-missed", {{"place", peer.place()}, {"why", text_of(why)}});
    }
    const relay::LinkId id = peer.id();
    drop(peer);
    relay_.on_link_down(id, now());
    pump();
}

bool Gateway::may_serve_bluz(Peer& peer) {
    const auto count = std::count_if(peers_.begin(), peers_.end(), [](const auto& item) {
        return item.second->bluz() != nullptr;
    });
    if (static_cast<std::size_t>(count) < bluz::kDevicesMax) return true;
    log_.info("bluz-let-go", {{"name", peer.name()}, {"why", text_of(relay::Close::Full)}});
    let_bluz_go(peer, bluz::kStayAwayFull);
    return false;
}

void Gateway::on_bluz_down(Peer& peer, air::Disconnect why) {
    remember_trouble(peer, text_of(why));
    peer.bluz()->on_link_down(text_of(why));
    let_bluz_go(peer, {});
}

void Gateway::let_bluz_go(Peer& peer, std::optional<Duration> stay_away) {
    if (stay_away) {
        hold_offs_.hold(peer.place(), *stay_away, now());
    } else if (peer.bluz()->has_settled()) {
        hold_offs_.on_connected(peer.place());
    } else {
        hold_offs_.on_failed(peer.place(), now(), jitter());
    }
    peer.close();
    drop(peer);
}

void Gateway::drop(Peer& peer) {
    links_.erase(peer.id());
    const auto found = peers_.find(peer.place());
    SOTTO_ASSERT(found != peers_.end());
    boost::asio::post(loop_, [last = std::move(found->second)] {});
    peers_.erase(found);
}

void Gateway::on_cloud_record(relay::CloudId cloud, Bytes record) {
    if (capture_.is_open()) capture_.record(Direction::FromCloud, device_of(record), record);
    relay_.on_uplink_record(cloud, record, now());
    pump();
}

void Gateway::on_cloud_down(relay::CloudId cloud, const std::string& why) {
    if (clouds_[cloud.value()]->is_news(why))
        log_.warn("cloud-lost",
                  {{"cloud", relay_.address(cloud)}, {"why", why}, {"next", "trying again"}});
    relay_.on_uplink_down(cloud, now(), jitter());
    pump();
}

void Gateway::pump() {
    while (const auto output = relay_.next_output())
        std::visit([this](const auto& item) { perform(item); }, *output);
}

void Gateway::perform(const relay::ConnectCloud& output) {
    clouds_[output.cloud.value()]->client().connect();
}

void Gateway::perform(const relay::CloseCloud& output) {
    clouds_[output.cloud.value()]->client().close(text_of(output.why));
}

void Gateway::perform(const relay::SendToCloud& output) {
    const Bytes record = Bytes{output.record}.subspan(framing::kUplinkSizeSize);
    if (capture_.is_open()) capture_.record(Direction::ToCloud, device_of(record), record);
    clouds_[output.cloud.value()]->client().send(output.record);
}

void Gateway::perform(const relay::SendToDevice& output) {
    Peer* peer = find(output.link);
    if (peer == nullptr) return;
    capture_.frame(Direction::ToDevice, peer->device(), output.frame);
    // The air has room for all that the relay gives it at a time, or the link has just ended.
    (void)peer->send(output.frame);
}

void Gateway::perform(const relay::CloseLink& output) {
    Peer* peer = find(output.link);
    if (peer == nullptr) return;
    log_.info("device-let-go", {{"device", shown(peer->device())}, {"why", text_of(output.why)}});
    remember_trouble(*peer, text_of(output.why));
    if (output.why == relay::Close::Released) remember_known(*peer);
    hold_offs_.hold(peer->place(), output.stay_away, now());
    peer->close();
    drop(*peer);
}

void Gateway::perform(const relay::CloudWelcomed& output) {
    clouds_[output.cloud.value()]->on_welcomed();
    log_.info("cloud-connected", {{"cloud", relay_.address(output.cloud)}});
}

void Gateway::perform(const relay::CloudRefused& output) {
    log_.warn("cloud-refused",
              {{"cloud", relay_.address(output.cloud)}, {"why", text_of(output.reason)}});
}

void Gateway::perform(const relay::DeviceOffered& output) {
    if (Peer* peer = find(output.link)) {
        peer->set_device(output.device_id);
        if (const auto pace = paces_.of(output.device_id)) central_.set_pace(peer->place(), *pace);
        peer->set_cloud(relay_.address(output.cloud));
    }
    log_.info("device-offered",
              {{"device", to_hex<std::string>(output.device_id)},
               {"cloud", relay_.address(output.cloud)}});
}

Gateway::Peer* Gateway::find(relay::LinkId link) {
    const auto found = links_.find(link);
    return found == links_.end() ? nullptr : found->second;
}

// Records that concern a link have its number after their type.
const framing::DeviceId* Gateway::device_of(Bytes record) {
    Reader reader{record};
    const auto type = reader.u8();
    const auto link = reader.u32_be();
    if (!type || *type < 0x10 || *type >= 0x30 || !link) return nullptr;
    Peer* peer = find(relay::LinkId{*link});
    return peer != nullptr ? &peer->device() : nullptr;
}

Instant Gateway::now() const {
    const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count()};
}

}  // namespace sotto::gateway
