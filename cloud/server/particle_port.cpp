// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/particle_port.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// Alone, no network has all the places of those that are not through.
static_assert(kArrivalRate.burst + particle::kKeyMessageTime.ms / kArrivalRate.refill.ms <
              kHalfOpenMax);

std::size_t thread_count() {
    return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kRsaThreadsMax);
}

std::vector<HandshakeTools> make_tools(const ParticlePort::Setup& setup) {
    std::vector<HandshakeTools> tools(thread_count());
    for (HandshakeTools& each : tools) {
        for (const auto& key : setup.keys) each.cryptos.push_back(key.make_crypto());
        each.devices = setup.store.make_device_reader();
    }
    return tools;
}

// A socket that is taken has what the one has that listens.
void prepare(Acceptor& acceptor) {
    error_code ignored;
    acceptor.set_option(asio::ip::tcp::no_delay{true}, ignored);
    acceptor.set_option(asio::socket_base::send_buffer_size{kParticleSendBuffer}, ignored);
}

// Who has one address of IPv6 has all of its network. No network of one family looks like one of
// the other.
std::string network_of(const asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    const auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
    auto bytes = v6.to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return asio::ip::address_v6{bytes}.to_string();
}

}  // namespace

ParticlePort::ParticlePort(asio::io_context& loop, Acceptor acceptor, Setup setup)
    : cipher_(particle_openssl::make_cipher()),
      workers_(make_tools(setup),
               [executor = loop.get_executor()](RsaWorkers::Done done) {
                   asio::post(executor, std::move(done));
               }),
      sockets_(loop),
      world_{.sockets = sockets_,
             .executor = loop.get_executor(),
             .store = setup.store,
             .devices = setup.devices,
             .workers = workers_,
             .cipher = *cipher_,
             .entropy = setup.entropy,
             .log = setup.log,
             .now = std::move(setup.now),
             .enrols_on_first_use = setup.enrols_on_first_use,
             .on_safe_mode = std::move(setup.on_safe_mode),
             .on_greeted = [this](ParticleLine& line) { on_greeted(line); },
             .on_end = [this](ParticleLine& line) { on_end(line); }},
      door_(sockets_,
            (prepare(acceptor), std::move(acceptor)),
            [this](auto socket, const auto& address) { on_socket(std::move(socket), address); }) {}

bool ParticlePort::may_come(const asio::ip::address& address) {
    const Instant now = world_.now();
    if (arrivals_.at(network_of(address), kArrivalRate, now).take(now)) return true;
    ++turned_away_;
    turned_away_from_ = address.to_string();
    return false;
}

void ParticlePort::on_socket(ports::File socket, const asio::ip::address& address) {
    if (!may_come(address)) return;
    // The one that has come first is the one that should long be through.
    if (half_open_.size() >= kHalfOpenMax) half_open_.front()->end("made room");
    const auto line =
        std::make_shared<ParticleLine>(world_, std::move(socket), address.to_string());
    places_[line.get()] = half_open_.insert(half_open_.end(), line);
    line->start();
}

void ParticlePort::on_greeted(ParticleLine& line) {
    sessions_.splice(sessions_.end(), half_open_, places_.at(&line));
}

void ParticlePort::on_end(ParticleLine& line) {
    const auto place = places_.find(&line);
    const auto line_in_list = place->second;
    places_.erase(place);
    (line.is_greeted() ? sessions_ : half_open_).erase(line_in_list);
}

void ParticlePort::on_time() {
    const Instant now = world_.now();
    if (now - looked_at_ < kParticleTick) return;
    looked_at_ = now;
    door_.on_time();
    if (turned_away_ > 0)
        world_.log.warn("particle-turned-away",
                        {{"connections", std::exchange(turned_away_, 0)},
                         {"last-from", turned_away_from_},
                         {"why", "too many of one network"}});
    for (Lines* lines : {&half_open_, &sessions_}) {
        for (auto next = lines->begin(); next != lines->end();) {
            const auto line = *next++;
            line->on_time(now);
        }
    }
}

void ParticlePort::end_all(Lines& lines) {
    while (!lines.empty()) {
        const auto line = lines.front();
        line->end("stopping");
    }
}

void ParticlePort::stop() {
    door_.close();
    end_all(half_open_);
    end_all(sessions_);
    sockets_.stop();
}

}  // namespace sotto::cloud::server
