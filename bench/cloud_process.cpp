// SPDX-License-Identifier: Apache-2.0
#include "bench/cloud_process.hpp"

#include <condition_variable>
#include <csignal>
#include <deque>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <time.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/transport/cloud_transport.hpp"
#include "bench/measure.hpp"
#include "core/base/hex.hpp"

namespace sotto::bench {
namespace {

using testing::read_text;

std::string program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "sotto-cloud";
}

std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

// The owner's thread of a store, as far as one is needed.
class Inbox {
  public:
    cloud::store::Executor executor() {
        return [this](auto function) {
            const std::scoped_lock lock{mutex_};
            posted_.push_back(std::move(function));
            changed_.notify_one();
        };
    }
    void run_one() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !posted_.empty(); });
        const auto function = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        function();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
};

}  // namespace

double seconds_now() {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

CloudProcess::CloudProcess() {
    const auto made = testing::run(program(), {"init", "--state", folder_ / "cloud"});
    if (made.code != 0) throw std::runtime_error{"sotto-cloud init failed: " + made.output};
}

void CloudProcess::fill(const std::function<void(cloud::store::Store&)>& work,
                        const std::function<bool()>& is_done) {
    Inbox inbox;
    auto store = cloud::store_sqlite::SqliteStore::open(
        folder_ / "cloud/cloud.db",
        {.mode = cloud::store_sqlite::Database::Mode::Open, .busy_timeout = seconds(5)},
        inbox.executor());
    if (!store) throw std::runtime_error{store.error().detail};
    work(**store);
    do {
        bool is_settled = false;
        (*store)->get_setting("", [&is_settled](const auto&) { is_settled = true; });
        while (!is_settled) inbox.run_one();
    } while (!is_done());
}

void CloudProcess::start(const std::vector<std::string>& options) {
    std::filesystem::remove(folder_ / "ports");
    std::vector<std::string> arguments{"run",
                                       "--state",
                                       folder_ / "cloud",
                                       "--http",
                                       "127.0.0.1:0",
                                       "--devices",
                                       "127.0.0.1:0",
                                       "--particle",
                                       "127.0.0.1:0",
                                       "--ports-file",
                                       folder_ / "ports"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    process_ = std::make_unique<testing::Program>(program(), arguments, folder_ / "cloud.log");
    if (!testing::eventually([&] { return !read_text(folder_ / "ports").empty(); }))
        throw std::runtime_error{"sotto-cloud does not start: " + read_text(folder_ / "cloud.log")};
}

void CloudProcess::stop() {
    process_->stop(SIGTERM);
    process_.reset();
}

std::string CloudProcess::port(const std::string& name) const {
    std::istringstream lines{read_text(folder_ / "ports")};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + "=")) return line.substr(name.size() + 1);
    }
    throw std::runtime_error{"no port " + name};
}

std::string CloudProcess::gateway_token() const {
    return trimmed(read_text(folder_ / "cloud/gateway.token"));
}

cloud::model::CredentialHash CloudProcess::credential() const {
    const app::CloudLogin login{*app::parse_cloud_url("http://" + http()),
                                trimmed(read_text(folder_ / "cloud/owner.token"))};
    const auto reply =
        app::http_request(login, app::HttpMethod::Get, "/sotto/v1/cloud", seconds(10));
    if (!reply) throw std::runtime_error{reply.error().what};
    const auto about = nlohmann::json::parse(reply->body);
    return crypto::sha256(
        *from_hex<std::vector<std::uint8_t>>(about.at("credential").get<std::string>()));
}

std::size_t CloudProcess::user_bytes() const {
    std::istringstream lines{read_text("/proc/" + std::to_string(process_->id()) + "/status")};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("RssAnon:")) return std::stoul(line.substr(8)) * 1'024;
    }
    throw std::runtime_error{"no RssAnon"};
}

double CloudProcess::cpu_seconds() const { return cpu_seconds_of(process_->id()); }

void CloudProcess::wait_until_idle() const {
    for (double last = -1; last != cpu_seconds();) {
        last = cpu_seconds();
        ::usleep(100'000);
    }
}

std::size_t CloudProcess::legacy_count() const {
    const auto status = testing::run(program(), {"status", "--json", "--state", folder_ / "cloud"});
    if (status.code != 0) throw std::runtime_error{"no status: " + status.output};
    return nlohmann::json::parse(status.output).at("connected").at("legacy_devices");
}

cloud::model::TokenHash CloudProcess::hash(std::string_view token) {
    return {.bytes = crypto::sha256(as_bytes(token))};
}

}  // namespace sotto::bench
