// SPDX-License-Identifier: Apache-2.0
// Updates of legacy devices through REST of the real sotto-cloud: how fast one is in slow mode,
// over bare echoes of as many bytes, and many at once.
#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <poll.h>

#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"
#include "bench/sockets.hpp"
#include "core/base/hex.hpp"
#include "testing/particle/legacy_image.hpp"

namespace sotto::bench {
namespace {

using testing::LegacyId;
using testing::LegacyKey;

constexpr std::size_t kImageSize = 118'784;  // all that a bluz has room for
constexpr std::size_t kDevices = 200;
constexpr std::size_t kTurns = 41;   // each of some milliseconds, in which others may come between
constexpr std::size_t kChunk = 546;  // on the wire, of 512 bytes
constexpr std::size_t kAnswer = 36;  // on the wire: that it has come, and that it was taken
constexpr std::size_t kRoundTrips = kImageSize / 512;
constexpr int kPatience_ms = 60'000;
constexpr const char* kToken = "token-of-the-bench";

LegacyId id_number(std::size_t number) { return {0xf1, 0xa5, static_cast<std::uint8_t>(number)}; }

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
            for (std::size_t i = 0; i < kDevices; ++i)
                store.provision_device(
                    {.device = id_number(i), .key = key_.public_der(), .stored_at = {}},
                    cloud::model::AccountId{1},
                    [](const auto&) {});
        });
        cloud_.start();
        std::ifstream file{cloud_.folder() / "cloud/particle/default_key.pub.der",
                           std::ios::binary};
        server_key_.assign(std::istreambuf_iterator<char>{file}, {});
    }
    std::unique_ptr<Client> connect(std::size_t number) {
        auto client = std::make_unique<Client>(
            cloud_.particle(),
            LegacyDevice::Setup{.id = id_number(number), .key = key_, .server_key = server_key_});
        while (!client->device.time()) {
            wait_for(client->socket());
            client->read();
        }
        return client;
    }
    static void wait_for(int socket) {
        pollfd file{socket, POLLIN, 0};
        if (::poll(&file, 1, kPatience_ms) != 1) throw std::runtime_error{"nothing comes"};
    }
    // Sends the image; the answer comes once the device is ready.
    int begin(std::size_t number) {
        const int socket = connect_to(cloud_.http());
        const auto image = testing::make_legacy_image({}, kImageSize);
        const std::string body =
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fw.bin\"\r\n\r\n" +
            std::string{as_text(image)} + "\r\n--x--\r\n";
        const std::string request =
            "PUT /v1/devices/" + to_hex<std::string>(id_number(number)) +
            " HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " + kToken +
            "\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: " +
            std::to_string(body.size()) + "\r\n\r\n" + body;
        for (std::size_t sent = 0; sent < request.size();) {
            const ssize_t size =
                ::send(socket, &request[sent], request.size() - sent, MSG_NOSIGNAL);
            if (size <= 0) throw std::runtime_error{"the upload ended"};
            sent += static_cast<std::size_t>(size);
        }
        return socket;
    }
    // Closes the socket.
    static void expect_begun(int socket) {
        std::array<char, 2'048> reply{};
        wait_for(socket);
        const ssize_t size = ::recv(socket, reply.data(), reply.size(), 0);
        ::close(socket);
        const std::string_view text{reply.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
        if (!text.starts_with("HTTP/1.1 200"))
            throw std::runtime_error{"no update: " + std::string{text}};
    }

  private:
    LegacyKey key_;
    CloudProcess cloud_;
    std::vector<std::uint8_t> server_key_;
};

bool has_restarted(Client& client) { return !client.device.installed().empty(); }

// False once it has restarted.
bool read_on(Client& client) {
    try {
        client.read();
    } catch (const std::runtime_error&) {
        if (!has_restarted(client)) throw;
        client.flush();
        return false;
    }
    return true;
}

// Seconds from the first chunk until the device restarts, without its own work, which an echo has
// not.
double seconds_of_update(World& world) {
    const auto client = world.connect(0);
    const int upload = world.begin(0);
    while (!client->device.is_updating()) {
        World::wait_for(client->socket());
        client->read();
    }
    const double begin = seconds_now();
    double work = 0;
    while (!has_restarted(*client)) {
        World::wait_for(client->socket());
        std::array<std::uint8_t, 1'024> piece{};
        const ssize_t size = ::recv(client->socket(), piece.data(), piece.size(), 0);
        if (size <= 0) throw std::runtime_error{"the cloud hung up on a device"};
        const double before = seconds_now();
        client->device.receive(Bytes{piece}.first(static_cast<std::size_t>(size)));
        while (client->device.step()) {
        }
        const auto output = client->device.take_output();
        work += seconds_now() - before;
        if (!output.empty()) ::send(client->socket(), output.data(), output.size(), MSG_NOSIGNAL);
    }
    const double seconds = seconds_now() - begin - work;
    World::expect_begun(upload);
    return seconds;
}

void read_all(int socket, std::size_t size) {
    std::array<std::uint8_t, kChunk> bytes{};
    for (std::size_t got = 0; got < size;) {
        World::wait_for(socket);
        const ssize_t more = ::recv(socket, bytes.data(), size - got, 0);
        if (more <= 0) ::_exit(0);
        got += static_cast<std::size_t>(more);
    }
}

// The same round trips, of the same sizes, with one who does nothing but answer.
double seconds_of_echoes() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what the calls want
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener, 1);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    const std::array<std::uint8_t, kChunk> bytes{};
    const Child echo{[&] {
        const int socket = ::accept(listener, nullptr, nullptr);
        const int yes = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        for (;;) {
            read_all(socket, kAnswer);
            ::send(socket, bytes.data(), kChunk, MSG_NOSIGNAL);
        }
    }};
    const int socket = connect_to(":" + std::to_string(ntohs(address.sin_port)));
    const double begin = seconds_now();
    for (std::size_t i = 0; i < kRoundTrips; ++i) {
        ::send(socket, bytes.data(), kAnswer, MSG_NOSIGNAL);
        read_all(socket, kChunk);
    }
    const double seconds = seconds_now() - begin;
    ::close(socket);
    ::close(listener);
    return seconds;
}

Figure measure_goodput(World& world) {
    std::array<double, kTurns> ratios{};
    std::array<double, kTurns> rates{};
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        const double echoes = seconds_of_echoes();
        const double update = seconds_of_update(world);
        ratios[turn] = echoes / update;
        rates[turn] = kImageSize / update;
    }
    std::ranges::sort(ratios);
    std::fprintf(stderr,
                 "# update in slow mode: %.3g MB/s; ratio %.3g, from %.3g to %.3g\n",
                 median(rates) / 1e6,
                 ratios[kTurns / 2],
                 ratios.front(),
                 ratios.back());
    return {.name = "ota_goodput_ratio",
            .value = ratios[kTurns / 2],
            .unit = "",
            .aim = Aim{Bound::AtLeast, 0.7},
            .against = "118 KB in slow mode, over as many bare echoes of these sizes"};
}

// All of them are ready before the first one goes on.
Figure measure_many(World& world) {
    std::vector<std::unique_ptr<Client>> clients;
    for (std::size_t i = 0; i < kDevices; ++i) {
        clients.push_back(world.connect(i));
        const int upload = world.begin(i);
        while (!clients.back()->device.is_updating()) {
            World::wait_for(clients.back()->socket());
            clients.back()->read();
        }
        World::expect_begun(upload);
    }
    const double begin = seconds_now();
    Poller poller;
    for (std::size_t i = 0; i < kDevices; ++i) poller.add(clients[i]->socket(), i);
    std::size_t done = 0;
    while (done < kDevices && seconds_now() - begin < kPatience_ms / 1e3) {
        poller.wait([&](std::size_t place) {
            auto& client = clients[place];
            if (!client || read_on(*client)) return;
            ++done;
            client.reset();
        });
    }
    std::fprintf(stderr, "# %zu updates at once: %.3g s\n", done, seconds_now() - begin);
    return {.name = "updates_at_once",
            .value = static_cast<double>(done),
            .unit = "",
            .aim = Aim{Bound::AtLeast, kDevices},
            .against = "devices of 200 that have what they were sent, all of it"};
}

}  // namespace

Figures measure_updates() {
    World world;
    return {measure_goodput(world), measure_many(world)};
}

}  // namespace sotto::bench
