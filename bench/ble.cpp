// SPDX-License-Identifier: Apache-2.0
// What a sealed command costs over BlueZ, against a bare echo of as many bytes on the same link.
#include <algorithm>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <time.h>

#include "air/bluez/bluez_central.hpp"
#include "app/client/device.hpp"
#include "app/transport/air_transport.hpp"
#include "app/transport/cloud_transport.hpp"
#include "bench/figure.hpp"
#include "bench/gatt_echo.hpp"
#include "bench/owner.hpp"
#include "core/framing/frame.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::bench {
namespace {

constexpr std::size_t kTripRounds = 15;
constexpr std::size_t kTripsOfRound = 20;
constexpr std::size_t kTransferRounds = 5;
constexpr std::size_t kTransferSize = 65'536;
constexpr std::size_t kEchoSize = 1'024;
constexpr const char* kArgument = "on";

template <class Work>
double seconds_of(Work work) {
    const auto now = [] {
        timespec time{};
        clock_gettime(CLOCK_MONOTONIC, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    };
    const double start = now();
    work();
    return now() - start;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

// Passes messages on, and knows how large the last one was that left.
class Measured final : public app::Transport {
  public:
    explicit Measured(app::Transport& transport) : transport_(transport) {}

    Status send(Bytes message) override {
        sent_size_ = message.size();
        return transport_.send(message);
    }
    app::Arrival wait(Duration limit) override { return transport_.wait(limit); }
    void acknowledge() override { transport_.acknowledge(); }
    std::size_t sent_size() const { return sent_size_; }

  private:
    app::Transport& transport_;
    std::size_t sent_size_ = 0;
};

// Commands and echoes of as many bytes, in turns.
void measure_trips(app::Device& device, const Measured& way, const Echo& echo) {
    std::vector<double> commands;
    std::vector<double> echoes;
    std::vector<double> ratios;
    const std::size_t size =
        way.sent_size() + framing::kMessageHeaderSize + framing::kSegmentHeaderSize;
    for (std::size_t round = 0; round < kTripRounds; ++round) {
        std::vector<double> command;
        std::vector<double> bare;
        for (std::size_t i = 0; i < kTripsOfRound; ++i) {
            command.push_back(seconds_of([&] { must(device.call("echo", kArgument)); }));
            bare.push_back(seconds_of([&] { echo.round_trip(size); }));
        }
        commands.push_back(median(command));
        echoes.push_back(median(bare));
        ratios.push_back(commands.back() / echoes.back());
    }
    std::printf("command_bytes %zu\n", size);
    std::printf("command_ms %.2f\n", median(commands) * 1e3);
    std::printf("echo_ms %.2f\n", median(echoes) * 1e3);
    std::printf("rtt_ratio %.3f\n", median(ratios));
}

void measure_transfers(app::Device& device, const Echo& echo) {
    const std::string text(kTransferSize, 'x');
    std::vector<double> transfers;
    std::vector<double> echoes;
    std::vector<double> ratios;
    for (std::size_t round = 0; round < kTransferRounds; ++round) {
        transfers.push_back(seconds_of([&] { must(device.call("note", text)); }));
        echoes.push_back(seconds_of([&] {
            for (std::size_t sent = 0; sent < kTransferSize; sent += kEchoSize)
                echo.round_trip(kEchoSize);
        }));
        ratios.push_back(echoes.back() / transfers.back());
    }
    std::printf("transfer_s %.2f\n", median(transfers));
    std::printf("echoes_s %.2f\n", median(echoes));
    std::printf("goodput_ratio %.3f\n", median(ratios));
}

void measure(app::Device& device, const Measured& way) {
    must(device.call("echo", kArgument));
    const Echo echo;
    echo.round_trip(kEchoSize);
    measure_trips(device, way, echo);
    measure_transfers(device, echo);
}

void measure_nearby(const std::string& code_file, const std::string& adapter, Owner& owner) {
    const keystore::PairingCode code = read_code(code_file);
    boost::asio::io_context loop;
    air::bluez::Bus bus{loop};
    air::bluez::BluezCentral central{loop, bus, {.adapters = {adapter}}};
    const auto transport =
        must(app::AirTransport::connect({loop, central}, device_id_of(code), kPatience));
    Measured way{*transport};
    app::Device device{owner.setup(way)};
    Owner::pair(device, code);
    measure(device, way);
}

void measure_through_cloud(const std::string& code_file,
                           const app::CloudLogin& login,
                           Owner& owner) {
    const keystore::PairingCode code = read_code(code_file);
    const auto transport =
        must(app::CloudTransport::connect(login, app::AppId{1}, device_id_of(code), kPatience));
    Measured way{*transport};
    app::Device device{owner.setup(way)};
    Owner::pair(device, code);
    Owner::assign(device, login);
    measure(device, way);
}

}  // namespace

bool run_ble(std::span<char*> words) {
    const std::string verb = words.empty() ? "" : words[0];
    if (verb == "echo" && words.size() == 2) serve_echo(words[1]);
    const bool is_nearby = verb == "nearby" && words.size() == 4;
    const bool is_cloud = verb == "cloud" && words.size() == 5;
    if (!is_nearby && !is_cloud) return false;
    auto storage = ports::FileStorage::open(words[1]);
    if (!storage) throw std::runtime_error{storage.error().detail};
    Owner owner{*storage};
    if (is_nearby) {
        measure_nearby(words[2], words[3], owner);
    } else {
        measure_through_cloud(
            words[2], {*app::parse_cloud_url(words[3]), read_line(words[4])}, owner);
    }
    return true;
}

}  // namespace sotto::bench
