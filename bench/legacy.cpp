// SPDX-License-Identifier: Apache-2.0
// Legacy Particle devices at the real sotto-cloud: handshakes over the bare operations of RSA, what
// live sessions feel of a storm of them, pings over an echo that does nothing else, and what a
// silent session takes of memory. The devices are the strict ones of the tests.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <numeric>
#include <poll.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"
#include "bench/measure.hpp"
#include "bench/sockets.hpp"
#include "testing/particle/legacy_device.hpp"

namespace sotto::bench {
namespace {

using testing::LegacyId;
using testing::LegacyKey;

constexpr std::size_t kDevices = 20'000;
constexpr std::size_t kSilent = 5'000;
constexpr std::size_t kLive = 19'000;
constexpr std::size_t kConcurrent = 128;
constexpr std::size_t kHandshakes = 1'500;
constexpr std::size_t kTurns = 7;
constexpr std::size_t kPingers = 200;
constexpr double kPingSeconds = 0.7;
constexpr double kStormSeconds = 5;
constexpr double kReferenceSeconds = 0.3;
constexpr std::size_t kPingSize = 18;  // on the wire, as the acknowledgement
constexpr double kPatienceSeconds = 60;
constexpr double kCrowdSeconds = 300;

void print_range(const char* what, std::array<double, kTurns> values) {
    std::sort(values.begin(), values.end());
    std::fprintf(stderr,
                 "# %s: %.6g, from %.6g to %.6g\n",
                 what,
                 values[kTurns / 2],
                 values.front(),
                 values.back());
}

LegacyId id_number(std::size_t number) {
    return {0xb1, 0xe2, static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
}

// Signatures of RSA-2048 in a second of this thread.
double rsa_rate_here(EVP_PKEY* key) {
    EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(key, nullptr);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    const std::uint8_t digest[20] = {1};
    std::uint8_t signature[256];
    int count = 0;
    const double begin = thread_seconds();
    const double end = seconds_now() + kReferenceSeconds;
    for (; seconds_now() < end; ++count) {
        std::size_t size = sizeof signature;
        EVP_PKEY_sign(context, signature, &size, digest, sizeof digest);
    }
    const double rate = count / (thread_seconds() - begin);
    EVP_PKEY_CTX_free(context);
    return rate;
}

// The same with all cores busy, as they are in a storm of handshakes: two that are one core to the
// machine are slower then. The mean of the threads.
double rsa_rate() {
    const std::size_t count = std::max(1U, std::thread::hardware_concurrency());
    std::vector<EVP_PKEY*> keys(count);
    for (EVP_PKEY*& key : keys) key = EVP_RSA_gen(2'048U);
    std::vector<double> rates(count);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i)
        threads.emplace_back([&, i] { rates[i] = rsa_rate_here(keys[i]); });
    for (std::thread& thread : threads) thread.join();
    for (EVP_PKEY* key : keys) EVP_PKEY_free(key);
    return std::accumulate(rates.begin(), rates.end(), 0.0) / static_cast<double>(count);
}

class Bench {
  public:
    Bench() : key_(LegacyKey::generate()) {
        rlimit limit{};
        ::getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        std::ifstream file{cloud_.folder() / "cloud/particle/default_key.pub.der",
                           std::ios::binary};
        server_key_.assign(std::istreambuf_iterator<char>{file}, {});
        cloud_.fill([this](cloud::store::Store& store) {
            for (std::size_t i = 0; i < kDevices; ++i)
                store.set_device_key(
                    {.device = id_number(i), .key = key_.public_der(), .stored_at = {}},
                    [](const auto&) {});
        });
        cloud_.start();
    }
    CloudProcess& cloud() { return cloud_; }

    std::unique_ptr<Client> connect(std::size_t number) {
        return std::make_unique<Client>(
            cloud_.particle(),
            LegacyDevice::Setup{.id = id_number(number), .key = key_, .server_key = server_key_});
    }
    // What becomes of a device that has the cloud's Hello.
    enum class Then { Goes, IsSilent, Talks };
    struct Storm {
        std::size_t count;
        Then then = Then::Goes;
        double seconds = kPatienceSeconds;
        std::size_t first = 0;
    };
    // So many devices, kConcurrent at a time; those that stay go to `stay`. Ends also when the
    // seconds have passed.
    std::size_t shake_hands(const Storm& storm,
                            std::vector<std::unique_ptr<Client>>* stay = nullptr) {
        Poller poller;
        std::vector<std::unique_ptr<Client>> clients(kConcurrent);
        std::size_t begun = 0;
        std::size_t done = 0;
        const auto begin_one = [&](std::size_t place) {
            clients[place] = connect((storm.first + begun++) % kDevices);
            poller.add(clients[place]->socket(), place);
        };
        for (std::size_t i = 0; i < kConcurrent; ++i) begin_one(i);
        const double end = seconds_now() + storm.seconds;
        while (done < storm.count && seconds_now() < end) {
            poller.wait([&](std::size_t place) {
                auto& client = clients[place];
                if (!client) return;
                client->receive();
                const bool is_through = client->device.is_connected();
                if (!is_through || storm.then == Then::Talks) client->flush();
                if (!is_through) return;
                ++done;
                if (storm.then != Then::Goes) stay->push_back(std::move(client));
                client.reset();
                if (begun < storm.count) begin_one(place);
            });
        }
        if (storm.then != Then::Goes && done < storm.count)
            throw std::runtime_error{"devices do not connect"};
        return done;
    }

  private:
    LegacyKey key_;
    CloudProcess cloud_;
    std::vector<std::uint8_t> server_key_;
};

// In turns with what they are measured against: other users of the machine come and go.
Figure measure_handshakes(Bench& bench) {
    bench.shake_hands({.count = kConcurrent * 4});
    std::array<double, kTurns> rates{};
    std::array<double, kTurns> references{};
    std::array<double, kTurns> ratios{};
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        const double reference_before = rsa_rate() / 2;
        const double before = bench.cloud().cpu_seconds();
        // What a device says next, or that it goes, is no part of a handshake.
        std::vector<std::unique_ptr<Client>> stay;
        const std::size_t count =
            bench.shake_hands({.count = kHandshakes, .then = Bench::Then::IsSilent}, &stay);
        rates[turn] = static_cast<double>(count) / (bench.cloud().cpu_seconds() - before);
        stay.clear();
        bench.cloud().wait_until_idle();
        references[turn] = (reference_before + rsa_rate() / 2) / 2;
        ratios[turn] = rates[turn] / references[turn];
    }
    print_range("handshakes per second of a core", rates);
    print_range("bare RSA", references);
    print_range("ratio", ratios);
    return {.name = "legacy_handshake_ratio",
            .value = median(ratios),
            .unit = "",
            .aim = Aim{Bound::AtLeast, 0.85},
            .against = "handshakes per second of a core, two RSA-2048 signatures each"};
}

Figure measure_storm(Bench& bench) {
    std::vector<std::unique_ptr<Client>> live;
    bench.shake_hands({.count = kConcurrent, .then = Bench::Then::Talks}, &live);
    Client& client = *live.front();
    const Child storm{[&bench] {
        try {
            // Long before it comes to the devices that are here, it is killed.
            bench.shake_hands({.count = 1'000'000, .first = kConcurrent});
        } catch (const std::exception& error) {
            std::fprintf(stderr, "# the storm ended: %s\n", error.what());
        }
    }};
    ::usleep(300'000);
    std::vector<double> times;
    for (const double end = seconds_now() + kStormSeconds; seconds_now() < end;) {
        const std::size_t known = client.device.ack_count();
        client.device.ping();
        client.flush();
        const double begin = seconds_now();
        while (client.device.ack_count() == known) {
            pollfd file{client.socket(), POLLIN, 0};
            if (::poll(&file, 1, 10'000) != 1) throw std::runtime_error{"a ping is not answered"};
            client.read();
        }
        times.push_back((seconds_now() - begin) * 1e3);
        ::usleep(2'000);
    }
    std::sort(times.begin(), times.end());
    return {.name = "storm_ping_p99_ms",
            .value = times[times.size() * 99 / 100],
            .unit = "ms",
            .aim = Aim{Bound::AtMost, 10},
            .against = "a live session while others make handshakes as fast as they can"};
}

// Echoes, and does nothing else.
void echo(int listener) {
    Poller poller;
    poller.add(listener, static_cast<std::size_t>(listener));
    std::uint8_t bytes[1'024];
    for (;;) {
        poller.wait([&](std::size_t ready) {
            const int socket = static_cast<int>(ready);
            if (socket == listener) {
                const int made = ::accept(listener, nullptr, nullptr);
                const int yes = 1;
                ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                return poller.add(made, static_cast<std::size_t>(made));
            }
            const ssize_t size = ::recv(socket, bytes, sizeof bytes, MSG_DONTWAIT);
            if (size > 0) ::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
            if (size == 0) ::close(socket);
        });
    }
}

int listen_anywhere() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the call wants
    ::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener, 256);
    return listener;
}

std::string place_of(int listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the call wants
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    return ":" + std::to_string(ntohs(address.sin_port));
}

// As many clients of an echo as there are of the cloud, each with one message under way.
class Echoes {
  public:
    Echoes() : listener_(listen_anywhere()), server_([this] { echo(listener_); }) {
        for (std::size_t i = 0; i < kPingers; ++i) {
            sockets_.push_back(connect_to(place_of(listener_)));
            poller_.add(sockets_.back(), i);
            ::send(sockets_.back(), kPing, sizeof kPing, MSG_NOSIGNAL);
        }
    }
    Echoes(const Echoes&) = delete;
    Echoes& operator=(const Echoes&) = delete;
    ~Echoes() {
        for (const int socket : sockets_) ::close(socket);
        ::close(listener_);
    }
    double per_core_second() {
        std::size_t count = 0;
        std::uint8_t bytes[64];
        const double before = server_.cpu_seconds();
        for (const double end = seconds_now() + kPingSeconds; seconds_now() < end;) {
            poller_.wait([&](std::size_t place) {
                if (::recv(sockets_[place], bytes, sizeof bytes, MSG_DONTWAIT) <= 0) return;
                ++count;
                ::send(sockets_[place], kPing, sizeof kPing, MSG_NOSIGNAL);
            });
        }
        return static_cast<double>(count) / (server_.cpu_seconds() - before);
    }

  private:
    static constexpr std::uint8_t kPing[kPingSize] = {};
    int listener_;
    Child server_;
    Poller poller_;
    std::vector<int> sockets_;
};

class Pings {
  public:
    explicit Pings(Bench& bench) : bench_(bench) {
        bench.shake_hands({.count = kPingers, .then = Bench::Then::Talks}, &clients_);
        for (std::size_t i = 0; i < clients_.size(); ++i) poller_.add(clients_[i]->socket(), i);
        // What follows a Hello is over.
        for (const double end = seconds_now() + 1; seconds_now() < end;)
            poller_.wait([&](std::size_t place) { clients_[place]->read(); }, 10);
        for (auto& client : clients_) {
            known_.push_back(client->device.ack_count());
            client->device.ping();
            client->flush();
        }
    }
    double per_core_second() {
        std::size_t count = 0;
        const double before = bench_.cloud().cpu_seconds();
        for (const double end = seconds_now() + kPingSeconds; seconds_now() < end;) {
            poller_.wait([&](std::size_t place) {
                Client& client = *clients_[place];
                client.read();
                const std::size_t acks = client.device.ack_count();
                if (acks == known_[place]) return;
                count += acks - std::exchange(known_[place], acks);
                client.device.ping();
                client.flush();
            });
        }
        return static_cast<double>(count) / (bench_.cloud().cpu_seconds() - before);
    }

  private:
    Bench& bench_;
    std::vector<std::unique_ptr<Client>> clients_;
    Poller poller_;
    std::vector<std::size_t> known_;
};

Figure measure_pings(Bench& bench) {
    Echoes echoes;
    Pings pings{bench};
    std::array<double, kTurns> rates{};
    std::array<double, kTurns> references{};
    std::array<double, kTurns> ratios{};
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
        references[turn] = echoes.per_core_second();
        rates[turn] = pings.per_core_second();
        ratios[turn] = rates[turn] / references[turn];
    }
    print_range("pings per second of a core", rates);
    print_range("echoes", references);
    print_range("ratio", ratios);
    return {.name = "device_ping_ratio",
            .value = median(ratios),
            .unit = "",
            .aim = Aim{Bound::AtLeast, 0.75},
            .against = "pings per second of a core, over an echo of as many bytes with epoll"};
}

Figure measure_memory(Bench& bench) {
    const std::size_t before = bench.cloud().user_bytes();
    std::vector<std::unique_ptr<Client>> clients;
    bench.shake_hands({.count = kSilent, .then = Bench::Then::Talks}, &clients);
    for (const double end = seconds_now() + 2; seconds_now() < end;)
        for (auto& client : clients) client->read();
    const auto each = static_cast<double>(bench.cloud().user_bytes() - before) / kSilent;
    return {.name = "session_user_bytes",
            .value = each,
            .unit = "B",
            .aim = Aim{Bound::AtMost, 2'048},
            .against = "memory of the cloud for each of 5,000 silent devices"};
}

// Nineteen thousand, held by a process of their own: no process may have twice as many sockets on
// many systems. It answers a byte for each whole round of pings.
class Crowd {
  public:
    explicit Crowd(Bench& bench) : pipes_(make_pipes()), process_([&] { run(bench); }) {
        say();  // they are there when it answers
    }
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd() {
        for (const int end : pipes_) ::close(end);
    }
    void ping_all() {
        ::write(pipes_[1], "x", 1);
        say();
    }

  private:
    static std::array<int, 4> make_pipes() {
        std::array<int, 4> ends{};
        if (::pipe(ends.data()) != 0 || ::pipe(ends.data() + 2) != 0)
            throw std::runtime_error{"no pipe"};
        return ends;
    }
    void say() {
        char byte = 0;
        if (::read(pipes_[2], &byte, 1) != 1 || byte != 'x')
            throw std::runtime_error{"the crowd of devices fails"};
    }
    void run(Bench& bench) {
        try {
            std::vector<std::unique_ptr<Client>> clients;
            bench.shake_hands(
                {.count = kLive, .then = Bench::Then::Talks, .seconds = kCrowdSeconds}, &clients);
            settle(clients);
            char byte = 'x';
            do {
                ::write(pipes_[3], &byte, 1);
            } while (::read(pipes_[0], &byte, 1) == 1 && ping(clients));
        } catch (const std::exception& error) {
            std::fprintf(stderr, "# %s\n", error.what());
        }
        ::write(pipes_[3], "!", 1);
    }
    // What follows a Hello is over.
    static void settle(std::vector<std::unique_ptr<Client>>& clients) {
        for (const double end = seconds_now() + 3; seconds_now() < end;)
            for (auto& client : clients) client->read();
    }
    static bool ping(std::vector<std::unique_ptr<Client>>& clients) {
        std::size_t wanted = 0;
        for (auto& client : clients) {
            wanted += client->device.ack_count() + 1;
            client->device.ping();
            client->flush();
        }
        for (const double end = seconds_now() + kPatienceSeconds; seconds_now() < end;) {
            std::size_t count = 0;
            for (auto& client : clients) {
                client->read();
                count += client->device.ack_count();
            }
            if (count == wanted) return true;
        }
        throw std::runtime_error{"pings are not answered"};
    }

    std::array<int, 4> pipes_;
    Child process_;
};

Figures measure_crowd(Bench& bench) {
    const std::size_t before = bench.cloud().user_bytes();
    Crowd crowd{bench};
    const double cpu_before = bench.cloud().cpu_seconds();
    const double begin = seconds_now();
    crowd.ping_all();
    std::fprintf(stderr,
                 "# a ping of all took %.2f s, %.2f s of a core\n",
                 seconds_now() - begin,
                 bench.cloud().cpu_seconds() - cpu_before);
    const auto bytes = static_cast<double>(bench.cloud().user_bytes() - before);
    return {{.name = "live_sessions",
             .value = static_cast<double>(bench.cloud().legacy_count()),
             .unit = "",
             .aim = Aim{Bound::AtLeast, kLive},
             .against = "devices of one process, by its own count, of which each was pinged"},
            {.name = "live_session_user_bytes",
             .value = bytes / kLive,
             .unit = "B",
             .aim = Aim{Bound::AtMost, 2'048},
             .against = "memory of the cloud for each of them, which has pinged"}};
}

}  // namespace

Figures measure_sessions() {
    Bench bench;
    return {measure_memory(bench)};
}

Figures measure_crowd() {
    Bench bench;
    return measure_crowd(bench);
}

Figures measure_handshakes() {
    Bench bench;
    return {measure_handshakes(bench)};
}

Figures measure_storm() {
    Bench bench;
    return {measure_storm(bench)};
}

Figures measure_pings() {
    Bench bench;
    return {measure_pings(bench)};
}

}  // namespace sotto::bench
