// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include "bench/figure.hpp"
#include "bench/forwarders.hpp"
#include "bench/measure.hpp"
#include "bench/owner.hpp"
#include "testing/memory_storage.hpp"
#include "testing/program.hpp"

namespace sotto::bench {
namespace {

using testing::Program;
using testing::read_text;
using Arguments = std::vector<std::string>;

constexpr std::size_t kBatch = 20;
constexpr std::size_t kMessageSize = 64;  // about what a sealed `get` is on the wire

// Device, gateway and cloud as processes, and an app in this one.
class Line {
  public:
    Line() {
        std::filesystem::create_directory(folder_ / "air");
        device_ = std::make_unique<Program>(program("sotto-device"),
                                            Arguments{"--state",
                                                      folder_ / "device",
                                                      "--air",
                                                      folder_ / "air",
                                                      "--mtu",
                                                      "247",
                                                      "--code-file",
                                                      folder_ / "code",
                                                      "--variable",
                                                      "value=on"},
                                            folder_ / "device.log");
        if (testing::run(program("sotto-cloud"), {"init", "--state", folder_ / "cloud"}).code != 0)
            throw std::runtime_error{"sotto-cloud init failed"};
        cloud_ = std::make_unique<Program>(program("sotto-cloud"),
                                           Arguments{"run",
                                                     "--state",
                                                     folder_ / "cloud",
                                                     "--http",
                                                     "127.0.0.1:0",
                                                     "--devices",
                                                     "127.0.0.1:0",
                                                     "--ports-file",
                                                     folder_ / "ports"},
                                           folder_ / "cloud.log");
        wait_for("ports");
        wait_for("code");
        gateway_ = std::make_unique<Program>(program("sotto-gateway"),
                                             Arguments{"--air",
                                                       folder_ / "air",
                                                       "--mtu",
                                                       "247",
                                                       "--cloud",
                                                       port("devices"),
                                                       "--token-file",
                                                       folder_ / "cloud/gateway.token"},
                                             folder_ / "gateway.log");
        connect();
    }

    void get() { must(app_->get("value")); }

    // Seconds that the cloud's process has computed.
    double cloud_seconds() const {
        std::string line = read_text("/proc/" + std::to_string(cloud_->id()) + "/stat");
        std::istringstream fields{line.substr(line.rfind(')') + 1)};
        std::string skipped;
        for (int i = 0; i < 11; ++i) fields >> skipped;
        double user = 0;
        double system = 0;
        fields >> user >> system;
        return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
    }

  private:
    static std::string program(const std::string& name) {
        return std::filesystem::read_symlink("/proc/self/exe").parent_path() / name;
    }
    void wait_for(const std::string& name) const {
        const bool is_there =
            testing::eventually([&] { return !read_text(folder_ / name).empty(); });
        if (!is_there) throw std::runtime_error{name + " did not appear"};
    }
    std::string port(const std::string& name) const {
        std::istringstream lines{read_text(folder_ / "ports")};
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
        }
        throw std::runtime_error{"no port " + name};
    }

    // Pairs, gives the device its cloud, and waits until it is attached.
    void connect() {
        const keystore::PairingCode code = read_code(folder_ / "code");
        const app::CloudLogin login{*app::parse_cloud_url("http://" + port("http")),
                                    read_line(folder_ / "cloud/owner.token")};
        transport_ =
            must(app::CloudTransport::connect(login, app::AppId{1}, device_id_of(code), kPatience));
        app_.emplace(owner_.setup(*transport_));
        Owner::pair(*app_, code);
        Owner::assign(*app_, login);
    }

    const testing::Folder folder_;
    std::unique_ptr<Program> device_;
    std::unique_ptr<Program> cloud_;
    std::unique_ptr<Program> gateway_;
    testing::MemoryStorage storage_;
    Owner owner_{storage_};
    std::unique_ptr<app::CloudTransport> transport_;
    std::optional<app::Device> app_;
};

double seconds_now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The median time of one round trip, of kBatch.
template <class Work>
double median_trip(Work work) {
    std::array<double, kBatch> times{};
    for (double& time : times) {
        const double start = seconds_now();
        work();
        time = seconds_now() - start;
    }
    return median(times);
}

}  // namespace

Figures measure_relay() {
    Line line;
    const Forwarders forwarders;
    std::array<std::uint8_t, kMessageSize> bytes{};
    std::array<double, kRounds> relayed{};
    std::array<double, kRounds> plain{};
    std::array<double, kRounds> ratios{};
    for (int i = 0; i < 50; ++i) line.get();  // warm up
    const double cloud_before = line.cloud_seconds();
    for (std::size_t round = 0; round < kRounds; ++round) {
        relayed[round] = median_trip([&] { line.get(); });
        plain[round] = median_trip([&] { forwarders.round_trip(bytes); });
        ratios[round] = relayed[round] / plain[round];
    }
    const double cloud_spent = line.cloud_seconds() - cloud_before;
    std::array<char, 160> against{};
    std::snprintf(against.data(),
                  against.size(),
                  "p50 %.0f us; an echo through three plain forwarders %.0f us",
                  median(relayed) * 1e6,
                  median(plain) * 1e6);
    const double trips = static_cast<double>(kRounds * kBatch);
    return {{.name = "relay_rtt_ratio",
             .value = median(ratios),
             .unit = "x",
             .aim = Aim{Bound::AtMost, 3},
             .against = against.data()},
            {.name = "relay_per_core_second",
             .value = cloud_spent > 0 ? trips / cloud_spent : 0,
             .unit = "1/s",
             .aim = {},
             .against = "round trips for each second that sotto-cloud computes"}};
}

}  // namespace sotto::bench
