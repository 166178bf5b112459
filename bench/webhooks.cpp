// SPDX-License-Identifier: Apache-2.0
// REST of one user of the real sotto-cloud while a thousand webhooks of others hang, in short turns
// with another cloud that has the same webhooks and no event for them.
#include <algorithm>
#include <array>
#include <memory>
#include <poll.h>

#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"
#include "bench/sockets.hpp"

namespace sotto::bench {
namespace {

// Each user has 16 requests under way at once, 8 of them to one host.
constexpr std::size_t kUsers = 63;
constexpr const char* kHosts[] = {"127.0.0.1", "localhost"};
constexpr std::size_t kHooksPerHost = 8;
constexpr std::size_t kHanging = kUsers * 2 * kHooksPerHost;
static_assert(kHanging >= 1'000);
constexpr std::size_t kCallers = 16;
constexpr std::size_t kTurns = 30;  // of both: the hooks hang for 20 s
constexpr double kTurnSeconds = 0.25;
constexpr double kPatience = 30;

// Connections over HTTP that ask again as soon as they are answered.
class Caller {
  public:
    Caller(const std::string& place, const std::string& token) : socket_(connect_to(place)) {
        request_ = "GET /v1/devices HTTP/1.1\r\nHost: cloud\r\nAuthorization: Bearer " + token +
                   "\r\n\r\n";
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    ~Caller() { ::close(socket_); }

    int socket() const { return socket_; }
    void ask() { ::send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL); }
    void publish(const std::string& name) {
        const std::string body = "name=" + name;
        const std::string head = request_.substr(request_.find("\r\n"));
        const std::string text = "POST /v1/devices/events HTTP/1.1" +
                                 head.substr(0, head.size() - 2) +
                                 "Content-Type: application/x-www-form-urlencoded\r\n"
                                 "Content-Length: " +
                                 std::to_string(body.size()) + "\r\n\r\n" + body;
        ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
        std::array<char, 4'096> reply{};
        const ssize_t size = ::recv(socket_, reply.data(), reply.size(), 0);
        if (std::string_view{reply.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))}
                .find("200 OK") == std::string_view::npos)
            throw std::runtime_error{"an event was refused"};
    }
    // Whether an answer has come.
    bool read() {
        std::array<char, 4'096> reply{};
        const ssize_t size = ::recv(socket_, reply.data(), reply.size(), MSG_DONTWAIT);
        if (size == 0) throw std::runtime_error{"the cloud hung up"};
        return size > 0;
    }

  private:
    int socket_;
    std::string request_;
};

// A place where whoever connects is left to himself.
class Trap {
  public:
    Trap() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what the calls want
        ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        ::listen(listener_, 4'096);
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
        port_ = ntohs(address.sin_port);
    }
    Trap(const Trap&) = delete;
    Trap& operator=(const Trap&) = delete;
    ~Trap() {
        for (const int socket : taken_) ::close(socket);
        ::close(listener_);
    }

    std::string port() const { return std::to_string(port_); }
    void take(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
            if (::poll(&waiting, 1, static_cast<int>(kPatience * 1'000)) != 1)
                throw std::runtime_error{"only " + std::to_string(i) + " webhooks hang"};
            taken_.push_back(::accept(listener_, nullptr, nullptr));
        }
    }

  private:
    int listener_;
    std::uint16_t port_ = 0;
    std::vector<int> taken_;
};

std::string token_of(std::size_t user) { return "token-of-the-bench-" + std::to_string(user); }

cloud::model::HookRecord hook_of(cloud::model::AccountId account,
                                 std::size_t number,
                                 const std::string& url) {
    cloud::model::HookRecord record{.account = account,
                                    .definition = R"({"event": "hang", "url": ")" + url + "\"}"};
    record.id.bytes[0] = static_cast<std::uint8_t>(account.value());
    record.id.bytes[1] = static_cast<std::uint8_t>(number);
    return record;
}

// User 0 calls; the hooks are those of the others.
void fill(CloudProcess& cloud, const std::string& port) {
    cloud.fill([&port](cloud::store::Store& store) {
        for (std::size_t user = 0; user <= kUsers; ++user) {
            const cloud::model::AccountId account{static_cast<std::int64_t>(user + 1)};
            if (user > 0)
                store.create_account("user" + std::to_string(user), {}, [](const auto&) {});
            store.add_token({.hash = CloudProcess::hash(token_of(user)),
                             .kind = cloud::model::TokenKind::Account,
                             .account = account,
                             .name = "bench"},
                            {},
                            [](const auto&) {});
            std::size_t number = 0;
            for (const char* const host : kHosts) {
                for (std::size_t i = 0; user > 0 && i < kHooksPerHost; ++i)
                    store.add_hook(
                        hook_of(
                            account, number++, "http://" + std::string{host} + ":" + port + "/"),
                        [](const auto&) {});
            }
        }
    });
}

// A cloud and who calls it.
class Side {
  public:
    explicit Side(const std::string& port) {
        fill(cloud_, port);
        cloud_.start({"--webhook-allow", "127.0.0.0/8"});
        for (std::size_t i = 0; i < kCallers; ++i) {
            callers_.push_back(std::make_unique<Caller>(cloud_.http(), token_of(0)));
            poller_.add(callers_.back()->socket(), i);
            callers_.back()->ask();
        }
        calls_per_second();
    }
    void trigger() {
        for (std::size_t user = 1; user <= kUsers; ++user)
            Caller{cloud_.http(), token_of(user)}.publish("hang");
    }
    double calls_per_second() {
        std::size_t count = 0;
        const auto serve = [&](std::size_t place) {
            if (!callers_[place]->read()) return;
            ++count;
            callers_[place]->ask();
        };
        const double begin = seconds_now();
        while (seconds_now() < begin + kTurnSeconds) poller_.wait(serve, 10);
        return static_cast<double>(count) / (seconds_now() - begin);
    }

  private:
    CloudProcess cloud_;
    Poller poller_;
    std::vector<std::unique_ptr<Caller>> callers_;
};

double median_of(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace

Figures measure_webhooks() {
    Trap trap;
    Side loaded{trap.port()};
    Side plain{trap.port()};
    loaded.trigger();
    trap.take(kHanging);
    std::vector<double> with;
    std::vector<double> without;
    std::vector<double> ratios;
    const double begin = seconds_now();
    for (std::size_t i = 0; i < kTurns; ++i) {
        with.push_back(loaded.calls_per_second());
        without.push_back(plain.calls_per_second());
        ratios.push_back(with.back() / without.back());
    }
    if (seconds_now() - begin > 19) throw std::runtime_error{"the webhooks have given up"};
    std::fprintf(stderr,
                 "# %.0f calls per second while %zu webhooks hang, %.0f without\n",
                 median_of(with),
                 kHanging,
                 median_of(without));
    return {{.name = "webhook_isolation_ratio",
             .value = median_of(ratios),
             .unit = "",
             .aim = Aim{Bound::AtLeast, 0.9},
             .against = "REST calls per second while a thousand webhooks hang, over without"}};
}

}  // namespace sotto::bench
