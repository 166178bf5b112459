// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/openings.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "cloud/server/limits.hpp"
#include "core/base/assert.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

namespace channel = framing::channel;

// Of one account, with the devices of it that are there.
class Openings::Channel final : public services::Line,
                                public std::enable_shared_from_this<Channel> {
  public:
    Channel(Openings& openings, model::AccountId account)
        : openings_(openings), account_(account) {}

    model::AccountId account() const { return account_; }
    bool is_up(const model::DeviceId& device) const { return up_.contains(device); }

    void connect() {
        services::Hub& hub = openings_.setup_.hub;
        if (is_connected_ || hub.is_shutting_down()) return;
        is_connected_ = hub.connect_app(*this, {.account = account_, .app = own_id()});
    }
    void disconnect() {
        if (std::exchange(is_connected_, false)) openings_.setup_.hub.disconnect(*this);
    }
    void write(const channel::Record& record) {
        if (!is_connected_) return;
        std::array<std::uint8_t, framing::kChannelRecordSizeMax> buffer;  // NOLINT: written first
        const auto bytes = channel::encode_record(buffer, record);
        SOTTO_ASSERT(bytes.has_value());
        openings_.setup_.hub.on_bytes(*this, *bytes);
    }
    void send(const model::DeviceId& device, Bytes message) {
        write(channel::Send{channel::Reference{++last_reference_}, device, 0, message});
    }
    void acknowledge(channel::Sequence sequence) { write(channel::Ack{sequence}); }
    void set_up(const model::DeviceId& device, bool is_there) {
        if (is_there) {
            up_.insert(device);
        } else {
            up_.erase(device);
        }
    }

    void on_ready() override {
        openings_.setup_.later([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->take();
        });
    }
    void on_time(Instant /*now*/) override {}

  private:
    // The installation that the cloud itself is: its key as a guest names it.
    model::AppId own_id() const {
        model::AppId id;
        const auto& hash = openings_.setup_.identity.credential.hash();
        std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
        return id;
    }

    void take() {
        if (!is_connected_) return;
        services::Output output;
        openings_.setup_.hub.take_output(*this, output);
        std::size_t begin = 0;
        for (const std::size_t end : output.ends) {
            openings_.on_record(*this, Bytes{output.bytes}.subspan(begin, end - begin));
            begin = end;
        }
        if (!output.close) return;
        disconnect();
        for (const model::DeviceId& device : std::exchange(up_, {})) {
            if (GuestLine* line = openings_.find(device, account_)) line->on_down();
        }
    }

    Openings& openings_;
    const model::AccountId account_;
    std::set<model::DeviceId> up_;
    std::uint32_t last_reference_ = 0;
    bool is_connected_ = false;
};

Openings::Openings(Setup setup)
    : setup_(std::move(setup)),
      world_(
          {.devices = setup_.devices,
           .identity = setup_.identity,
           .entropy = setup_.entropy,
           .now = setup_.now,
           .send = [this](const model::Opening& opening, Bytes message) { send(opening, message); },
           .on_refused = [this](const model::Opening& opening,
                                session::Reason why) { on_refused(opening, why); }}) {}

Openings::~Openings() {
    lines_.clear();
    for (const auto& [account, line] : channels_) line->disconnect();
}

void Openings::start() {
    setup_.store.list_openings([this, alive = std::weak_ptr<bool>{is_alive_}](
                                   const Result<std::vector<model::Opening>>& openings) {
        if (alive.expired()) return;
        if (!openings) return setup_.log.error("openings-not-loaded");
        for (const model::Opening& opening : *openings) open(opening);
    });
}

void Openings::open(const model::Opening& opening) {
    close(opening.device);
    if (lines_.size() >= kOpeningsMax) {
        return setup_.log.warn(
            "too-many-openings",
            {{"device", to_hex<std::string>(opening.device)}, {"limit", kOpeningsMax}});
    }
    GuestLine& line =
        *lines_.emplace(opening.device, std::make_unique<GuestLine>(world_, opening)).first->second;
    std::shared_ptr<Channel>& way = channels_[opening.account];
    if (way == nullptr) way = std::make_shared<Channel>(*this, opening.account);
    way->connect();
    if (way->is_up(opening.device)) line.on_up();
}

void Openings::close(const model::DeviceId& device) { lines_.erase(device); }

void Openings::on_time() {
    for (const auto& [account, way] : channels_) way->connect();
    const Instant now = setup_.now();
    for (const auto& [device, line] : lines_) line->on_time(now);
}

GuestLine* Openings::find(const model::DeviceId& device, model::AccountId account) {
    const auto found = lines_.find(device);
    const bool is_its = found != lines_.end() && found->second->opening().account == account;
    return is_its ? found->second.get() : nullptr;
}

void Openings::send(const model::Opening& opening, Bytes message) {
    const auto way = channels_.find(opening.account);
    if (way != channels_.end()) way->second->send(opening.device, message);
}

// The owner took it back, or the device has another owner: what the cloud holds is of no use.
void Openings::on_refused(const model::Opening& opening, session::Reason why) {
    setup_.log.warn("opening-refused",
                    {{"device", to_hex<std::string>(opening.device)},
                     {"why", why == session::Reason::TokenOver ? "it is over" : "unknown there"}});
    setup_.store.erase_opening(
        opening.account,
        opening.device,
        [this, opening, alive = std::weak_ptr<bool>{is_alive_}](const Status& /*ignored*/) {
            if (alive.expired()) return;
            const GuestLine* line = find(opening.device, opening.account);
            if (line != nullptr && line->opening() == opening) close(opening.device);
        });
}

void Openings::on_record(Channel& way, Bytes bytes) {
    const auto record = channel::parse_record(bytes, channel::Side::Cloud);
    SOTTO_ASSERT(record.has_value());  // our own router's
    if (const auto* state = std::get_if<channel::State>(&*record)) {
        way.set_up(state->device_id, state->is_connected);
        GuestLine* line = find(state->device_id, way.account());
        if (line != nullptr) state->is_connected ? line->on_up() : line->on_down();
    } else if (const auto* deliver = std::get_if<channel::Deliver>(&*record)) {
        if (deliver->sequence.value() > 0) return way.acknowledge(deliver->sequence);  // of before
        if (GuestLine* line = find(deliver->device_id, way.account()))
            line->on_message(deliver->message);
    } else if (const auto* notice = std::get_if<channel::Notice>(&*record)) {
        way.acknowledge(notice->sequence);
    }
}

}  // namespace sotto::cloud::server
