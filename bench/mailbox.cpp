// SPDX-License-Identifier: Apache-2.0
// Puts into mailboxes of the real sotto-cloud, each answered only when it is on the disk, by
// senders on many channels; against commits of one row each on a database of its own beside it.
#include <algorithm>
#include <cstdio>
#include <poll.h>
#include <stdexcept>
#include <unordered_map>

#include <sqlite3.h>

#include "bench/channel_client.hpp"
#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"

namespace sotto::bench {
namespace {

namespace channel = framing::channel;
using namespace cloud::model;  // NOLINT(google-build-using-namespace): one vocabulary

constexpr std::size_t kAccounts = 12;  // each may have 16,384 letters
constexpr std::size_t kDevicesEach = 256;
constexpr std::size_t kLettersEach = 60;  // in one mailbox
constexpr std::size_t kOpenEach = 60;     // puts of one channel that are not answered yet
constexpr std::size_t kMessageSize = 64;
constexpr double kBurstSeconds = 2;
constexpr double kPacedSeconds = 3;
constexpr double kPaceMax = 5'000;

DeviceId device_of(std::size_t account, std::size_t number) {
    return {0xbe,
            static_cast<std::uint8_t>(account),
            static_cast<std::uint8_t>(number >> 8),
            static_cast<std::uint8_t>(number)};
}

std::string token_of(std::size_t account) { return "bench-token-" + std::to_string(account); }

// Accounts with a token each, and devices that are away.
void fill(cloud::store::Store& store) {
    const Instant now{static_cast<std::int64_t>(time(nullptr)) * 1'000};
    for (std::size_t i = 0; i < kAccounts; ++i) {
        const std::string name = "bench-" + std::to_string(i);
        store.create_account(name, now, [&store, i, now](const Result<AccountId>& account) {
            store.add_token({.hash = CloudProcess::hash(token_of(i)),
                             .kind = TokenKind::Account,
                             .account = *account,
                             .name = "bench"},
                            now,
                            [](const auto&) {});
            for (std::size_t n = 0; n < kDevicesEach; ++n) {
                const DeviceId device = device_of(i, n);
                ClaimCode code;
                std::copy(device.begin(), device.end(), code.bytes.begin());
                store.create_claim(
                    {.code = code, .account = *account, .expires_at = now + minutes(60)},
                    1'000'000,
                    now,
                    [](const auto&) {});
                CredentialHash hash{};
                std::copy(device.begin(), device.end(), hash.begin());
                store.redeem_claim(code, device, hash, now, [](const auto&) {});
            }
        });
    }
}

// One channel that puts, and remembers when.
class Sender {
  public:
    Sender(const std::string& http, std::size_t account)
        : account_(account), channel_(http, token_of(account), 1) {
        message_.fill(0x5a);
        // NON POST, a token of a byte, an OSCORE option: what a sealed command looks like.
        const std::array<std::uint8_t, 9> head{0x51, 0x02, 0, 1, 7, 0x92, 9, 0, 0xff};
        std::copy(head.begin(), head.end(), message_.begin());
    }
    bool is_full() const { return sent_ == kDevicesEach * kLettersEach; }
    std::size_t open_count() const { return sent_ - answered_; }
    int socket() const { return channel_.socket(); }

    void put() {
        channel_.send(channel::Send{.reference = channel::Reference{std::uint32_t(sent_)},
                                    .device_id = device_of(account_, sent_ % kDevicesEach),
                                    .lifetime_s = 36'000,
                                    .message = message_});
        put_at_.push_back(seconds_now());
        ++sent_;
    }
    void flush() { channel_.flush(); }
    // Adds how long each put took that was answered meanwhile.
    void collect(std::vector<double>& seconds) {
        channel_.receive(false, [&](const channel::Record& record) {
            const auto* outcome = std::get_if<channel::Outcome>(&record);
            if (outcome == nullptr) return;
            if (outcome->code != channel::OutcomeCode::Stored)
                throw std::runtime_error{"a put was refused with " +
                                         std::to_string(static_cast<int>(outcome->code))};
            seconds.push_back(seconds_now() - put_at_[outcome->reference.value()]);
            ++answered_;
        });
    }

  private:
    std::size_t account_;
    ChannelClient channel_;
    std::array<std::uint8_t, kMessageSize> message_{};
    std::vector<double> put_at_;
    std::size_t sent_ = 0;
    std::size_t answered_ = 0;
};

class Senders {
  public:
    explicit Senders(const std::string& http) {
        for (std::size_t i = 0; i < kAccounts; ++i)
            senders_.push_back(std::make_unique<Sender>(http, i));
    }

    // As many as are taken: puts a second.
    double burst() {
        std::vector<double> times;
        const double start = seconds_now();
        double now = start;
        for (; now - start < kBurstSeconds; now = seconds_now()) {
            bool is_any_free = false;
            for (auto& sender : senders_) {
                bool has_put = false;
                while (!sender->is_full() && sender->open_count() < kOpenEach) {
                    sender->put();
                    has_put = true;
                }
                if (has_put) sender->flush();
                is_any_free = is_any_free || !sender->is_full();
            }
            collect(times);
            if (!is_any_free) break;
        }
        const double rate = static_cast<double>(times.size()) / (now - start);
        drain(times);
        return rate;
    }

    // So many a second, evenly: how long each took, sorted.
    std::vector<double> paced(double rate) {
        std::vector<double> times;
        const double start = seconds_now();
        std::size_t sent = 0;
        std::size_t turn = 0;
        for (double now = start; now - start < kPacedSeconds; now = seconds_now()) {
            while (static_cast<double>(sent) < (now - start) * rate) {
                Sender& sender = *senders_[turn++ % senders_.size()];
                sender.put();
                sender.flush();
                ++sent;
            }
            collect(times);
        }
        drain(times);
        std::ranges::sort(times);
        return times;
    }

  private:
    void collect(std::vector<double>& times) {
        std::vector<pollfd> sockets;
        for (const auto& sender : senders_)
            sockets.push_back({.fd = sender->socket(), .events = POLLIN, .revents = 0});
        ::poll(sockets.data(), sockets.size(), 1);
        for (std::size_t i = 0; i < sockets.size(); ++i) {
            if (sockets[i].revents != 0) senders_[i]->collect(times);
        }
    }
    void drain(std::vector<double>& times) {
        const double until = seconds_now() + 30;
        const auto is_open = [](const auto& sender) { return sender->open_count() > 0; };
        while (std::ranges::any_of(senders_, is_open)) {
            if (seconds_now() > until) throw std::runtime_error{"puts without an answer"};
            collect(times);
        }
    }

    std::vector<std::unique_ptr<Sender>> senders_;
};

// Commits of one row each, as durable as the cloud's, in a second.
double commit_rate(const std::string& file) {
    sqlite3* database = nullptr;
    sqlite3_stmt* insert = nullptr;
    const bool is_ready =
        sqlite3_open(file.c_str(), &database) == SQLITE_OK &&
        sqlite3_exec(database,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b BLOB)",
                     nullptr,
                     nullptr,
                     nullptr) == SQLITE_OK &&
        sqlite3_prepare_v2(
            database, "INSERT INTO t (b) VALUES (zeroblob(64))", -1, &insert, nullptr) == SQLITE_OK;
    if (!is_ready) throw std::runtime_error{"no database " + file};
    const double start = seconds_now();
    double now = start;
    std::size_t count = 0;
    for (; now - start < 1; now = seconds_now()) {
        if (sqlite3_step(insert) != SQLITE_DONE) throw std::runtime_error{"a commit failed"};
        sqlite3_reset(insert);
        ++count;
    }
    sqlite3_finalize(insert);
    sqlite3_close(database);
    return static_cast<double>(count) / (now - start);
}

}  // namespace

Figures measure_mailbox() {
    CloudProcess cloud;
    cloud.fill(fill);
    cloud.start();
    double puts = 0;
    std::vector<double> times;
    const double commits_before = commit_rate(cloud.folder() / "single.db");
    {
        Senders senders{cloud.http()};
        puts = senders.burst();
        times = senders.paced(std::min(kPaceMax, puts / 2));
    }
    const double commits = (commits_before + commit_rate(cloud.folder() / "single.db")) / 2;
    cloud.stop();
    if (times.empty()) throw std::runtime_error{"no put was answered"};
    const double p99 = times[times.size() * 99 / 100];
    std::array<char, 160> ratio{};
    std::snprintf(ratio.data(),
                  ratio.size(),
                  "%.0f puts/s on %zu channels; %.0f commits/s of one row each",
                  puts,
                  kAccounts,
                  commits);
    std::array<char, 160> pace{};
    std::snprintf(pace.data(),
                  pace.size(),
                  "at %.0f puts/s; p50 %.1f ms",
                  std::min(kPaceMax, puts / 2),
                  times[times.size() / 2] * 1e3);
    return {{.name = "mailbox_put_ratio",
             .value = puts / commits,
             .unit = "x",
             .aim = Aim{Bound::AtLeast, 5},
             .against = ratio.data()},
            {.name = "mailbox_put_p99_ms",
             .value = p99 * 1e3,
             .unit = "ms",
             .aim = Aim{Bound::AtMost, 20},
             .against = pace.data()}};
}

}  // namespace sotto::bench
