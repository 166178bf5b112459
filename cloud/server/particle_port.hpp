// SPDX-License-Identifier: Apache-2.0
// Takes the connections of legacy Particle devices (docs/protocol/particle.md). Allocates; never
// blocks; everything but RSA happens in the thread that runs the io_context.
#pragma once

#include <list>
#include <memory>
#include <span>
#include <unordered_map>

#include "cloud/http/guard.hpp"
#include "cloud/particle_openssl/keys.hpp"
#include "cloud/server/particle_line.hpp"
#include "cloud/server/ready_door.hpp"

namespace sotto::cloud::server {

class ParticlePort {
  public:
    struct Setup {
        std::span<const particle_openssl::ServerKey> keys;  // the present one first
        store::Store& store;
        services::OpenDevices& devices;
        hal::Entropy& entropy;
        ports::Log& log;
        std::function<Instant()> now;
        bool enrols_on_first_use = false;
        std::function<void(
            const model::DeviceId&, std::uint16_t platform, const particle::Description&)>
            on_safe_mode{};
    };
    // `acceptor` listens already. What `setup` refers to must live until the event loop has ended,
    // which is before this dies.
    ParticlePort(boost::asio::io_context& loop, Acceptor acceptor, Setup setup);
    ParticlePort(const ParticlePort&) = delete;
    ParticlePort& operator=(const ParticlePort&) = delete;

    void start() { door_.open(); }
    // Takes no more, and ends those that are there.
    void stop();
    // To be called at least once in each second.
    void on_time();

    std::size_t half_open_count() const { return half_open_.size(); }
    std::size_t session_count() const { return sessions_.size(); }

  private:
    using Lines = std::list<std::shared_ptr<ParticleLine>>;

    // Whether that network has not come too often.
    bool may_come(const boost::asio::ip::address& address);
    void on_socket(ports::File socket, const boost::asio::ip::address& address);
    void on_greeted(ParticleLine& line);
    void on_end(ParticleLine& line);
    static void end_all(Lines& lines);

    std::unique_ptr<particle::Cipher> cipher_;
    RsaWorkers workers_;
    ReadySockets sockets_;
    ParticleLine::World world_;
    ReadyDoor door_;
    Instant looked_at_;
    http::Recent<TokenBucket> arrivals_;  // by network
    std::size_t turned_away_ = 0;         // since looked_at_
    std::string turned_away_from_;        // the last of them
    Lines half_open_;                     // in the order of their coming
    Lines sessions_;
    std::unordered_map<const ParticleLine*, Lines::iterator> places_;
};

}  // namespace sotto::cloud::server
