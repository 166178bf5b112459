// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/run.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cloud/http/api.hpp"
#include "cloud/server/capture.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/gateway_port.hpp"
#include "cloud/server/hop_security.hpp"
#include "cloud/server/http_port.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/server/sessions.hpp"
#include "core/cose/credential.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kTick{250};

// As many sockets as the system lets this user have.
void raise_socket_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

Result<model::ClaimCode> draw_claim(hal::Entropy& entropy) {
    model::ClaimCode code;
    SOTTO_TRY(entropy.fill(code.bytes));
    return code;
}

// Everything that lives as long as the cloud serves. Members die before those above them; the loop
// has ended by then.
class Cloud {
  public:
    Cloud(const RunCommand& command, State state, hal::Entropy& entropy)
        : command_(command), state_(std::move(state)), entropy_(entropy) {}

    Outcome<> open() {
        const auto credential = cose::Credential::parse(state_.identity.credential);
        if (credential) credential_ = *credential;
        if (!credential_)
            return Failure{Error::Malformed,
                           "the credential in " + command_.state +
                               " is damaged; nothing was changed: restore a backup of the folder"};
        SOTTO_TRY_ASSIGN(store_, open_store(command_.state, [this](std::function<void()> answer) {
                             asio::post(loop_, [this, answer = std::move(answer)] {
                                 answer();
                                 if (hub_) hub_->pump();
                             });
                         }));
        if (!command_.settings.capture_file.empty() &&
            !capture_.open(command_.settings.capture_file))
            return Failure{
                Error::StorageFailed,
                "--capture " + command_.settings.capture_file + ": it cannot be written"};
        SOTTO_TRY(forget_sessions_of_a_copy());
        SOTTO_TRY_ASSIGN(const std::string setting, load_address());
        SOTTO_TRY(listen_at_both());
        SOTTO_TRY_ASSIGN(const std::string address, choose_address(setting));
        wire(address);
        return write_ports_file();
    }

    void run(Log& log) {
        asio::signal_set signals{loop_, SIGTERM, SIGINT};
        signals.async_wait([this](error_code, int) { loop_.stop(); });
        if (certificates_) watch_certificates(log);
        http_->start();
        gateways_->start();
        on_tick();
        loop_.restart();
        loop_.run();
    }

    // What is in use, if a port is in TLS.
    const Certificates* certificates() const { return certificates_ ? &*certificates_ : nullptr; }
    const std::string& http_text() const { return http_text_; }
    const std::string& devices_text() const { return devices_text_; }

  private:
    // The answer of the store, waited for: before there is anybody to serve.
    template <class T, class Begin>
    Result<T> wait_for(const Begin& begin) {
        std::optional<Result<T>> answer;
        begin([&answer](Result<T> given) { answer = std::move(given); });
        loop_.restart();  // it may have run dry before
        const auto guard = asio::make_work_guard(loop_);
        while (!answer) loop_.run_one();
        return *std::move(answer);
    }

    // The folder was copied or restored: this cloud may have gone on elsewhere.
    Outcome<> forget_sessions_of_a_copy() {
        if (!state_.keys.is_copy()) return {};
        const Status erased =
            wait_for<void>([this](auto done) { store_->erase_link_contexts(std::move(done)); });
        if (erased && state_.keys.adopt()) return {};
        return Failure{Error::StorageFailed,
                       "cannot write into " + command_.state + ": check permissions and space"};
    }

    Outcome<std::string> load_address() {
        const auto address = wait_for<std::optional<std::string>>(
            [this](auto done) { store_->get_setting("address", std::move(done)); });
        if (!address) return Failure{Error::StorageFailed, "the database cannot be read"};
        return (*address).value_or(std::string{});
    }

    Outcome<> listen_at_both() {
        const Settings& settings = command_.settings;
        SOTTO_TRY_ASSIGN(
            certificates_,
            open_certificates(command_.state, settings, ports::SystemClock::unix_seconds()));
        const bool allow_remote = settings.insecure || certificates_.has_value();
        auto http = listen(loop_, {"--http", settings.http, allow_remote});
        if (!http) return http.error();
        auto devices = listen(loop_, {"--devices", settings.devices, allow_remote});
        if (!devices) return devices.error();
        http_text_ = text_of(http->local_endpoint());
        devices_text_ = text_of(devices->local_endpoint());
        http_acceptor_.emplace(*std::move(http));
        devices_acceptor_.emplace(*std::move(devices));
        return {};
    }

    Outcome<std::string> choose_address(const std::string& setting) const {
        const std::string& given =
            command_.settings.address.empty() ? setting : command_.settings.address;
        if (!given.empty()) {
            if (is_address(given)) return given;
            return Failure{Error::InvalidArgument, "--address " + given + ": it must be HOST:PORT"};
        }
        if (!devices_acceptor_->local_endpoint().address().is_unspecified()) return devices_text_;
        return Failure{Error::InvalidArgument,
                       "--devices " + command_.settings.devices +
                           " names no address that a gateway can connect to: say with --address "
                           "HOST:PORT which one devices are to be told"};
    }

    // Nothing for a port in the clear.
    const Certificates* certificates_for(const std::string& place) const {
        return speaks_tls(command_.settings, place) ? certificates() : nullptr;
    }

    void watch_certificates(Log& log) {
        watch_.emplace(loop_, *certificates_, [&log](const Certificates::News& news) {
            if (news.is_good) return log.info(news.text);
            log.warn(news.text);
        });
        watch_->start();
    }

    void wire(const std::string& address) {
        hub_.emplace(
            *store_,
            services::Hub::Config{
                .router = {.credential = credential_->hash(), .hash_token = hash_token},
                .now = [this] { return clock_.now(); },
                .on_device_event =
                    [this](const services::DeviceEvent& event) { sessions_->on_event(event); },
                .tap = command_.settings.capture_file.empty() ? nullptr : &capture_});
        sessions_.emplace(
            Sessions::Setup{.store = *store_,
                            .router = hub_->router(),
                            .keys = {.identity = {.credential = *credential_,
                                                  .private_key = state_.identity.private_key},
                                     .entropy = entropy_},
                            .now = [this] { return clock_.now(); }});
        api_.emplace(*store_,
                     http::Api::Config{.credential = http::to_hex(credential_->bytes()),
                                       .address = address,
                                       .hash_token = hash_token,
                                       .draw_claim = [this] { return draw_claim(entropy_); },
                                       .is_connected =
                                           [this](const model::DeviceId& device) {
                                               return hub_->router().is_connected(device);
                                           },
                                       .now = [this] { return clock_.now(); }});
        http_.emplace(loop_,
                      *std::move(http_acceptor_),
                      *api_,
                      *hub_,
                      certificates_for(command_.settings.http));
        gateways_.emplace(loop_,
                          *std::move(devices_acceptor_),
                          *hub_,
                          certificates_for(command_.settings.devices));
    }

    Outcome<> write_ports_file() const {
        if (command_.settings.ports_file.empty()) return {};
        const std::filesystem::path path{command_.settings.ports_file};
        const std::string parent = path.has_parent_path() ? path.parent_path().string() : ".";
        const ports::File folder{::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        const std::string text = "http=" + http_text_ + "\ndevices=" + devices_text_ + "\n";
        const bool is_written =
            folder.is_open() &&
            ports::replace_file(folder, path.filename().string(), as_bytes(text)).has_value();
        if (is_written) return {};
        return Failure{Error::StorageFailed,
                       "--ports-file " + command_.settings.ports_file + ": it cannot be written"};
    }

    void on_tick() {
        sessions_->on_time();
        hub_->on_time();
        timer_.expires_after(kTick);
        timer_.async_wait([this](error_code error) {
            if (!error) on_tick();
        });
    }

    const RunCommand& command_;
    State state_;
    hal::Entropy& entropy_;
    std::optional<cose::Credential> credential_;
    SteadyClock clock_;
    asio::io_context loop_{1};
    asio::steady_timer timer_{loop_};
    std::unique_ptr<store_sqlite::SqliteStore> store_;
    Capture capture_;
    std::optional<services::Hub> hub_;
    std::optional<Sessions> sessions_;
    std::optional<http::Api> api_;
    std::optional<Certificates> certificates_;
    std::optional<CertificateWatch> watch_;
    std::optional<Acceptor> http_acceptor_;
    std::optional<Acceptor> devices_acceptor_;
    std::optional<HttpPort> http_;
    std::optional<GatewayPort> gateways_;
    std::string http_text_;
    std::string devices_text_;
};

}  // namespace

Outcome<> run(const RunCommand& command, hal::Entropy& entropy, Log& log) {
    SOTTO_TRY_ASSIGN(State state, open_state(command.state));
    raise_socket_limit();
    Cloud cloud{command, std::move(state), entropy};
    SOTTO_TRY(cloud.open());
    const Settings& settings = command.settings;
    if (settings.insecure && !speaks_tls(settings, settings.http))
        log.warn("--insecure: tokens cross the network readable for everybody in it");
    if (const auto* certificates = cloud.certificates()) {
        const bool is_good = certificates->facts().is_valid_at(ports::SystemClock::unix_seconds());
        is_good ? log.info(certificates->describe()) : log.warn(certificates->describe());
    }
    log.info((speaks_tls(settings, settings.http) ? "ready: https://" : "ready: http://") +
             cloud.http_text() + " for apps, " + cloud.devices_text() + " for gateways" +
             (speaks_tls(settings, settings.devices) ? " in TLS" : ""));
    cloud.run(log);
    log.info("stopped");
    return {};
}

}  // namespace sotto::cloud::server
