// SPDX-License-Identifier: Apache-2.0
// REST and streams of events of the real sotto-cloud: calls of functions of legacy devices, and
// events to many readers over a loop that does nothing but send as many bytes.
#include <array>
#include <fstream>
#include <memory>

#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"
#include "bench/sockets.hpp"
#include "core/base/hex.hpp"

namespace sotto::bench {
namespace {

using testing::LegacyId;
using testing::LegacyKey;

constexpr std::size_t kLamps = 32;
constexpr std::size_t kStreams = 100;  // as many as one user may have
constexpr std::size_t kEvents = 2'000;
constexpr double kCallSeconds = 4;
constexpr double kPatience = 30;
constexpr const char* kToken = "token-of-the-bench";

LegacyId lamp_id(std::size_t number) { return {0xca, 0x11, static_cast<std::uint8_t>(number)}; }

// A connection over HTTP, or one that a stream of events came to.
class Http {
  public:
    explicit Http(const std::string& place) : socket_(connect_to(place)) {}
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;
    ~Http() { ::close(socket_); }

    int socket() const { return socket_; }
    void ask(const std::string& line, const std::string& form = {}) {
        std::string request = line + " HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " + kToken;
        if (!form.empty())
            request += "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                       std::to_string(form.size());
        request += "\r\n\r\n" + form;
        ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
    }
    // What has come, if anything.
    std::string_view read(int flags = MSG_DONTWAIT) {
        const ssize_t size = ::recv(socket_, buffer_.data(), buffer_.size(), flags);
        if (size == 0) throw std::runtime_error{"the cloud hung up"};
        return {buffer_.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }

  private:
    int socket_;
    std::array<char, 16'384> buffer_{};
};

// A cloud with devices of its one user.
class World {
  public:
    World() : key_(LegacyKey::generate()) {
        cloud_.fill([this](cloud::store::Store& store) {
            store.add_token({.hash = CloudProcess::hash(kToken),
                             .kind = cloud::model::TokenKind::Account,
                             .account = cloud::model::AccountId{1},
                             .name = "bench"},
                            {},
                            [](const auto&) {});
            for (std::size_t i = 0; i < kLamps; ++i)
                store.provision_device(
                    {.device = lamp_id(i), .key = key_.public_der(), .stored_at = {}},
                    cloud::model::AccountId{1},
                    [](const auto&) {});
        });
        cloud_.start();
    }
    CloudProcess& cloud() { return cloud_; }

    std::unique_ptr<Client> connect(std::size_t number) {
        std::ifstream file{cloud_.folder() / "cloud/particle/default_key.pub.der",
                           std::ios::binary};
        const std::vector<std::uint8_t> server_key{std::istreambuf_iterator<char>{file}, {}};
        auto client = std::make_unique<Client>(
            cloud_.particle(),
            LegacyDevice::Setup{.id = lamp_id(number), .key = key_, .server_key = server_key});
        client->device.functions["led"] = [](const std::string&) { return 1; };
        return client;
    }

  private:
    LegacyKey key_;
    CloudProcess cloud_;
};

// One call under way to each device, from a connection of its own.
Figure measure_calls(World& world) {
    std::vector<std::unique_ptr<Client>> lamps;
    std::vector<std::unique_ptr<Http>> callers;
    std::vector<std::string> lines;
    Poller poller;
    for (std::size_t i = 0; i < kLamps; ++i) {
        lamps.push_back(world.connect(i));
        poller.add(lamps.back()->socket(), i);
        callers.push_back(std::make_unique<Http>(world.cloud().http()));
        poller.add(callers.back()->socket(), kLamps + i);
        lines.push_back("POST /v1/devices/" + to_hex<std::string>(lamp_id(i)) + "/led");
    }
    std::size_t count = 0;
    const auto serve = [&](std::size_t place) {
        if (place < kLamps) return lamps[place]->read();
        const std::string_view reply = callers[place - kLamps]->read();
        if (reply.empty()) return;
        if (reply.find("\"return_value\":1") == std::string_view::npos)
            throw std::runtime_error{"a call failed: " + std::string{reply}};
        ++count;
        callers[place - kLamps]->ask(lines[place - kLamps], "arg=on");
    };
    // What follows a Hello is over.
    for (const double end = seconds_now() + 2; seconds_now() < end;) poller.wait(serve, 10);
    for (std::size_t i = 0; i < kLamps; ++i) callers[i]->ask(lines[i], "arg=on");
    const double warm = seconds_now() + 0.5;
    while (seconds_now() < warm) poller.wait(serve, 10);
    count = 0;
    const double before = world.cloud().cpu_seconds();
    for (const double end = seconds_now() + kCallSeconds; seconds_now() < end;) poller.wait(serve);
    return {.name = "rest_call_per_core_second",
            .value = static_cast<double>(count) / (world.cloud().cpu_seconds() - before),
            .unit = "1/s",
            .aim = Aim{Bound::AtLeast, 30'000},
            .against = "a function called by REST, its device asked and the answer given"};
}

// Reads until so many events have come to all of them.
void read_events(Poller& poller, std::vector<std::unique_ptr<Http>>& readers, std::size_t count) {
    const double end = seconds_now() + kPatience;
    std::size_t left = count;
    while (left > 0) {
        poller.wait([&](std::size_t place) {
            std::string_view text = readers[place]->read();
            for (std::size_t at = 0; (at = text.find("event: ", at)) != std::string_view::npos;
                 ++at)
                left -= left > 0 ? 1 : 0;
        });
        if (seconds_now() > end) throw std::runtime_error{"events do not come"};
    }
}

// Sends the event to every reader for each byte that comes, and does nothing else.
void send_for_ever(int listener, const std::string& event) {
    std::vector<int> readers;
    for (std::size_t i = 0; i < kStreams; ++i)
        readers.push_back(::accept(listener, nullptr, nullptr));
    const int control = ::accept(listener, nullptr, nullptr);
    for (char byte = 0; ::recv(control, &byte, 1, 0) == 1;) {
        for (const int reader : readers) ::send(reader, event.data(), event.size(), MSG_NOSIGNAL);
    }
}

double sends_per_core_second(const std::string& event) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what the calls want
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener, 256);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    const std::string place = ":" + std::to_string(ntohs(address.sin_port));
    const Child server{[listener, &event] { send_for_ever(listener, event); }};
    ::close(listener);
    std::vector<std::unique_ptr<Http>> readers;
    Poller poller;
    for (std::size_t i = 0; i < kStreams; ++i) {
        readers.push_back(std::make_unique<Http>(place));
        poller.add(readers.back()->socket(), i);
    }
    const Http control{place};
    const double before = server.cpu_seconds();
    for (std::size_t i = 0; i < kEvents; ++i) {
        ::send(control.socket(), "x", 1, MSG_NOSIGNAL);
        read_events(poller, readers, kStreams);
    }
    return static_cast<double>(kEvents * kStreams) / (server.cpu_seconds() - before);
}

Figure measure_streams(World& world) {
    std::vector<std::unique_ptr<Http>> readers;
    Poller poller;
    for (std::size_t i = 0; i < kStreams; ++i) {
        readers.push_back(std::make_unique<Http>(world.cloud().http()));
        readers.back()->ask("GET /v1/events/bench");
        readers.back()->read(0);
        poller.add(readers.back()->socket(), i);
    }
    Http publisher{world.cloud().http()};
    const double before = world.cloud().cpu_seconds();
    for (std::size_t i = 0; i < kEvents; ++i) {
        publisher.ask("POST /v1/devices/events", "name=bench&data=25.0");
        publisher.read(0);
        read_events(poller, readers, kStreams);
    }
    const double rate =
        static_cast<double>(kEvents * kStreams) / (world.cloud().cpu_seconds() - before);
    const double reference = sends_per_core_second(
        "id: 1839073062912001\nevent: bench\ndata: {\"coreid\":\"api\",\"data\":\"25.0\","
        "\"published_at\":\"2026-11-29T16:29:50.508Z\",\"ttl\":60}\n\n");
    std::fprintf(
        stderr, "# %.0f deliveries per second of a core; bare sends: %.0f\n", rate, reference);
    return {.name = "sse_ratio",
            .value = rate / reference,
            .unit = "",
            .aim = Aim{Bound::AtLeast, 0.8},
            .against = "events to 100 readers per second of a core, over a loop of sends"};
}

}  // namespace

Figures measure_rest() {
    World world;
    Figures figures{measure_streams(world)};
    figures.push_back(measure_calls(world));
    return figures;
}

}  // namespace sotto::bench
