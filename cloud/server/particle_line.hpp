// SPDX-License-Identifier: Apache-2.0
// One connection of a legacy Particle device: its socket, its handshake and then its session, and
// what REST sees of it. Ends with its socket. Allocates; never blocks; everything happens in the
// thread that runs the io_context.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cloud/particle/handshake.hpp"
#include "cloud/particle/session.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/ready_sockets.hpp"
#include "cloud/server/rsa_workers.hpp"
#include "cloud/server/stream.hpp"
#include "cloud/services/open_devices.hpp"
#include "cloud/store/store.hpp"
#include "core/hal/entropy.hpp"
#include "ports/linux/file.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

class ParticleLine final : public services::OpenDevice,
                           public ReadySockets::Listener,
                           public std::enable_shared_from_this<ParticleLine> {
  public:
    // What all lines of a port share.
    struct World {
        ReadySockets& sockets;
        Executor executor;
        store::Store& store;
        services::OpenDevices& devices;
        RsaWorkers& workers;
        particle::Cipher& cipher;
        hal::Entropy& entropy;
        ports::Log& log;
        std::function<Instant()> now;
        bool enrols_on_first_use = false;
        TokenBucket pending_keys{kPendingKeyRate};
        // Described, and in safe mode.
        std::function<void(
            const model::DeviceId&, std::uint16_t platform, const particle::Description&)>
            on_safe_mode{};
        std::function<void(ParticleLine&)> on_greeted{};
        std::function<void(ParticleLine&)> on_end{};  // the last that it does
        std::array<std::uint8_t, kParticleReadSize> input{};
    };
    ParticleLine(World& world, ports::File socket, std::string address);

    void start();
    void on_time(Instant now);
    void end(std::string_view why);
    bool is_greeted() const { return is_greeted_; }
    void on_ready(bool is_readable, bool is_writable) override;

    const services::DeviceAttributes& attributes() const override;
    void call(const std::string& function,
              const std::string& argument,
              services::DeviceDone<services::Value> done) override;
    void read(const std::string& variable, services::DeviceDone<services::Value> done) override;
    void ping(services::DeviceDone<void> done) override;
    void signal(bool is_on, services::DeviceDone<void> done) override;
    void update(services::FirmwarePtr firmware, services::UpdateSteps steps) override;
    void on_event(const services::Event& event) override;
    void on_replaced() override;
    void forget_claim_code() override;

  private:
    using AnyDone = std::variant<services::DeviceDone<void>, services::DeviceDone<services::Value>>;
    struct Pending {
        particle::RequestId request;
        AnyDone done;
    };

    void read();
    void on_bytes(Bytes bytes);
    void flush();
    bool write_some();
    void wait_for_room(bool is_wanted);

    void answer_key_message();
    void on_answered(HandshakeAnswer& answer);
    void note_pending_key(particle::DeviceKey key);
    void refuse(std::string_view why);

    void pump();
    void pump_soon();
    void on(particle::Answered& answered);
    void on(particle::Greeted& greeted);
    void on(particle::Described& described);
    void on(particle::Published& published);
    void on(particle::SystemEvent& event);
    void on(particle::Updating& updating);
    void on(particle::Updated& updated);
    void end_update(particle::UpdateEnding ending);
    services::UpdateResult begin_update(const services::FirmwarePtr& firmware);
    void enrol();
    void report();
    void answer_system(const particle::SystemEvent& event);
    void look_at_safe_mode();
    void tell(const std::string& name, const std::string& data);
    void tell_end_of_claim();
    bool wants(std::string_view name, std::string_view publisher) const;
    template <class T>
    void submit(Result<particle::RequestId> request, services::DeviceDone<T> done);

    World& world_;
    ports::File socket_;
    std::string address_;
    model::DeviceId device_{};
    Instant connected_at_;
    std::size_t server_key_ = 0;  // by which the device knows us
    services::OpenDevices::Known known_;
    std::unique_ptr<particle::Handshake> handshake_;
    std::unique_ptr<particle::Session> session_;
    particle::DeviceKey enrolled_key_;  // shown on first use, and not stored yet
    std::vector<Pending> pending_;
    std::unique_ptr<services::UpdateSteps> update_;  // of the one under way
    std::vector<std::uint8_t> output_;
    std::size_t sent_ = 0;  // of it
    mutable std::unique_ptr<services::DeviceAttributes> attributes_;
    bool is_open_ = true;
    bool is_refused_ = false;  // and the log says so
    bool is_greeted_ = false;
    bool is_reported_ = false;
    bool is_held_ = false;  // until its key is stored
    bool is_waiting_for_room_ = false;
    bool is_pump_due_ = false;
    bool is_safe_mode_told_ = false;
    bool is_claim_over_ = false;  // and the device does not know
};

}  // namespace sotto::cloud::server
