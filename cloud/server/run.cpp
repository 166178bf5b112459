// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/run.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <optional>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "cloud/http/api.hpp"
#include "cloud/http/metrics.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "cloud/http/sse.hpp"
#include "cloud/particle_openssl/keys.hpp"
#include "cloud/server/admin_port.hpp"
#include "cloud/server/capture.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/gateway_port.hpp"
#include "cloud/server/hop_security.hpp"
#include "cloud/server/http_port.hpp"
#include "cloud/server/keys.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/listen.hpp"
#include "cloud/server/note_log.hpp"
#include "cloud/server/one_time_password.hpp"
#include "cloud/server/openings.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/particle_port.hpp"
#include "cloud/server/passwords.hpp"
#include "cloud/server/products.hpp"
#include "cloud/server/sessions.hpp"
#include "cloud/server/status.hpp"
#include "cloud/server/system_parts.hpp"
#include "cloud/server/tags.hpp"
#include "cloud/server/webhooks.hpp"
#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "ports/openssl/password.hpp"
#include "ports/service/notify.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr int kTicksPerSecond = 4;
constexpr std::chrono::milliseconds kStopTick{10};

Result<model::ClaimCode> draw_claim(hal::Entropy& entropy) {
    model::ClaimCode code;
    SOTTO_TRY(entropy.fill(code.bytes));
    return code;
}

// Everything that lives as long as the cloud serves. Members die before those above them; the loop
// has ended by then.
class Cloud {
  public:
    Cloud(const RunCommand& command, State state, hal::Entropy& entropy, Log& log)
        : command_(command), state_(std::move(state)), entropy_(entropy), log_(log) {}

    Outcome<> open() {
        const auto credential = cose::Credential::parse(state_.identity.credential);
        if (credential) credential_ = *credential;
        if (!credential_)
            return Failure{Error::Malformed,
                           "the credential in " + command_.state +
                               " is damaged; nothing was changed: restore a backup of the folder"};
        auto guest = derive_guest_identity(state_.identity);
        if (!guest) return Failure{guest.error(), "no key can be derived from the cloud's"};
        guest_.emplace(*std::move(guest));
        guest_credential_ = *cose::Credential::parse(guest_->credential);
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
        SOTTO_TRY(renew_run_name());
        SOTTO_TRY_ASSIGN(const std::string setting, load_address());
        SOTTO_TRY(listen_at_both());
        SOTTO_TRY_ASSIGN(
            const std::string address,
            choose_address({command_.settings, setting, devices_acceptor_->local_endpoint()}));
        SOTTO_TRY_ASSIGN(update_spread_, parse_update_spread(command_.settings));
        SOTTO_TRY_ASSIGN(networks_, WebhookNetworks::parse(command_.settings.webhook_allow));
        wire(address);
        SOTTO_TRY(load_webhooks());
        if (!wait_for<void>([this](auto done) { products_->load(std::move(done)); }))
            return Failure{Error::StorageFailed, "the database cannot be read"};
        SOTTO_TRY(open_particle_port());
        SOTTO_TRY(open_admin());
        return write_ports_file();
    }

    void run() {
        wait_for_signal();
        if (certificates_) watch_certificates();
        http_->start();
        gateways_->start();
        openings_->start();
        if (particle_) particle_->start();
        admin_->start();
        if (metrics_) metrics_->start();
        on_tick();
        log_.info("ready",
                  {{"apps", places_.http},
                   {"gateways", places_.devices},
                   {"particle", places_.particle},
                   {"metrics", places_.metrics},
                   {"version", kVersion}});
        manager_.say_ready();
        loop_.restart();
        loop_.run();
        remove_admin_socket(command_.state);
        // Of a database that is put back later, from before this moment, no session is resumed.
        if (!renew_run_name()) log_.warn("store-failed", {{"what", "the name of the run"}});
    }

  private:
    void wait_for_signal() {
        signals_.async_wait([this](error_code error, int signal) {
            if (error) return;
            if (is_stopping_) {
                log_.warn("stopping-at-once", {{"signal", signal}});
                return loop_.stop();
            }
            begin_to_stop(signal);
            wait_for_signal();
        });
    }

    // No more come. Who waits for the store gets his answer, then everybody is told good-bye.
    void begin_to_stop(int signal) {
        is_stopping_ = true;
        stop_at_ = std::chrono::steady_clock::now() + kStopTimeMax;
        log_.info("stopping", {{"signal", signal}, {"connected", hub_->line_count()}});
        manager_.say_stopping();
        http_->stop();
        gateways_->stop();
        if (particle_) particle_->stop();
        admin_->stop();
        if (metrics_) metrics_->stop();
        store_->get_setting("address", [this](const auto& /*ignored*/) { hub_->shut_down(); });
        stop_when_alone();
    }

    void stop_when_alone() {
        const bool is_alone = hub_->is_shutting_down() && hub_->line_count() == 0;
        if (is_alone || std::chrono::steady_clock::now() >= stop_at_) return loop_.stop();
        stop_timer_.expires_after(kStopTick);
        stop_timer_.async_wait([this](error_code error) {
            if (!error) stop_when_alone();
        });
    }

    // The answer of the store, waited for: before there is anybody to serve.
    template <class T, class Begin>
    Result<T> wait_for(const Begin& begin) {
        std::optional<Result<T>> answer;
        begin([&answer](Result<T> given) { answer = std::move(given); });
        loop_.restart();  // it may have run dry before
        const auto guard = asio::make_work_guard(loop_);
        while (!answer)
            if (loop_.run_one() == 0) loop_.restart();  // a signal has stopped it
        return *std::move(answer);
    }

    // The folder was copied or restored, or the database was put back: this cloud may have gone on
    // elsewhere, or before.
    Outcome<> forget_sessions_of_a_copy() {
        const auto run_name = wait_for<std::optional<std::string>>(
            [this](auto done) { store_->get_setting("run", std::move(done)); });
        if (!run_name) return Failure{Error::StorageFailed, "the database cannot be read"};
        if (!state_.keys.is_copy() && *run_name == load_run_name(state_.keys)) return {};
        log_.warn("sessions-erased",
                  {{"why", "the folder or the database was copied, restored or put back"}});
        const Status erased =
            wait_for<void>([this](auto done) { store_->erase_link_contexts(std::move(done)); });
        if (erased && state_.keys.adopt()) return {};
        return Failure{Error::StorageFailed,
                       "cannot write into " + command_.state + ": check permissions and space"};
    }

    // Draws a name that database and keys alone know, for the next start to compare.
    Outcome<> renew_run_name() {
        std::array<std::uint8_t, 16> bytes{};
        if (!entropy_.fill(bytes))
            return Failure{Error::EntropyFailed, "the system gives no random numbers"};
        const auto name = to_hex<std::string>(bytes);
        const Status stored =
            wait_for<void>([&](auto done) { store_->set_setting("run", name, std::move(done)); });
        if (stored && store_run_name(state_.keys, name)) return {};
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
        const bool has_https = speaks_tls(settings, settings.http);
        const bool has_tls = speaks_tls(settings, settings.devices);
        http_text_ = text_of(http->local_endpoint());
        devices_text_ = text_of(devices->local_endpoint());
        places_.http = (has_https ? "https://" : "http://") + http_text_;
        places_.devices = devices_text_ + (has_tls ? " (TLS)" : "");
        http_acceptor_.emplace(*std::move(http));
        devices_acceptor_.emplace(*std::move(devices));
        return {};
    }

    void tell(const Certificates::News& news) {
        log_.write(news.is_good ? ports::LogLevel::Info : ports::LogLevel::Warn,
                   "certificate",
                   {{"what", news.text}});
    }

    // Nothing for a port in the clear.
    const Certificates* certificates_for(const std::string& place) const {
        return speaks_tls(command_.settings, place) ? &*certificates_ : nullptr;
    }

    void watch_certificates() {
        const bool is_good = certificates_->facts().is_valid_at(ports::SystemClock::unix_seconds());
        tell({.is_good = is_good, .text = certificates_->describe()});
        watch_.emplace(
            loop_, *certificates_, [this](const Certificates::News& news) { tell(news); });
        watch_->start();
    }

    void wire(const std::string& address) {
        hub_.emplace(
            *store_,
            services::Hub::Config{
                .router = {.credential = credential_->hash(),
                           .hash_token = hash_token,
                           .on_note = [this](const services::Note& note) { write(log_, note); },
                           .on_tags_wanted =
                               [this](auto gateway, auto account) {
                                   tags_->on_wanted(gateway, account);
                               }},
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
        tags_.emplace(
            Tags::Setup{.store = *store_, .hub = *hub_, .now = [this] { return clock_.now(); }});
        wire_devices();
        wire_rest();
        openings_.emplace(Openings::Setup{
            .store = *store_,
            .hub = *hub_,
            .devices = *open_devices_,
            .identity = {.credential = *guest_credential_, .private_key = guest_->private_key},
            .entropy = entropy_,
            .log = log_,
            .later = [this](auto function) { asio::post(loop_, std::move(function)); },
            .now = [this] { return clock_.now(); }});
        api_.emplace(
            *store_,
            http::Api::Config{
                .credential = to_hex<std::string>(credential_->bytes()),
                .guest = to_hex<std::string>(guest_->credential),
                .address = address,
                .hash_token = hash_token,
                .draw_claim = [this] { return draw_claim(entropy_); },
                .is_connected =
                    [this](const model::DeviceId& device) {
                        return hub_->router().is_connected(device);
                    },
                .now = [this] { return clock_.now(); },
                .on_opened = [this](const model::Opening& opening) { openings_->open(opening); },
                .on_closed = [this](const model::DeviceId& device) { openings_->close(device); },
                .on_tag_keys_changed = [this](auto account) { tags_->on_keys_changed(account); },
                .rest = &*rest_});
        http_.emplace(loop_,
                      *std::move(http_acceptor_),
                      *api_,
                      *hub_,
                      certificates_for(command_.settings.http));
        http_->serve_streams(ring_, *rest_);
        gateways_.emplace(loop_,
                          *std::move(devices_acceptor_),
                          *hub_,
                          certificates_for(command_.settings.devices));
    }

    // Legacy devices have a protocol that encrypts, so that they need no TLS beyond this machine.
    Outcome<> open_particle_port() {
        if (command_.settings.particle.empty()) return {};
        SOTTO_TRY_ASSIGN(particle_keys_, open_particle_keys(command_.state));
        if (const std::string& folder = command_.settings.particle_parts; !folder.empty()) {
            auto parts = SystemParts::load(folder, log_);
            if (!parts)
                return Failure{parts.error(),
                               "--particle-parts " + folder + ": there is no such folder"};
            system_parts_ = *std::move(parts);
        }
        healer_.emplace(Healer::Setup{
            .parts = system_parts_, .devices = *open_devices_, .updates = *updates_, .now = [this] {
                return clock_.now();
            }});
        auto acceptor = listen(loop_, {"--particle", command_.settings.particle, true});
        if (!acceptor) return acceptor.error();
        places_.particle = text_of(acceptor->local_endpoint());
        particle_.emplace(
            loop_,
            *std::move(acceptor),
            ParticlePort::Setup{.keys = particle_keys_,
                                .store = *store_,
                                .devices = *open_devices_,
                                .entropy = entropy_,
                                .log = log_,
                                .now = [this] { return clock_.now(); },
                                .enrols_on_first_use = command_.settings.particle_enrol,
                                .on_safe_mode =
                                    [this](const auto& device, auto platform, const auto& has) {
                                        healer_->on_safe_mode(device, platform, has);
                                    }});
        return {};
    }

    // What is no definition, for whatever reason, stays in the database and does nothing.
    Outcome<> load_webhooks() {
        const auto hooks = wait_for<std::vector<model::HookRecord>>(
            [this](auto done) { store_->list_hooks(std::move(done)); });
        if (!hooks) return Failure{Error::StorageFailed, "the database cannot be read"};
        for (const model::HookRecord& hook : *hooks) {
            if (!webhooks_->dispatcher().set_hook(hook))
                log_.warn("webhook-unusable", {{"id", to_hex<std::string>(hook.id.bytes)}});
        }
        return {};
    }

    void wire_devices() {
        open_devices_.emplace(
            ring_,
            services::OpenDevices::Config{
                .load_owner = [this](const auto& device,
                                     auto done) { products_->load_owner(device, std::move(done)); },
                .on_claim_code =
                    [this](const model::DeviceId& device, const std::string& code) {
                        rest_->redeem_claim_code(device, code);
                    },
                .save_traces =
                    [this](const model::DeviceId& device,
                           const services::DeviceAttributes& attributes) {
                        store_->save_traces(
                            device, http::traces_of(attributes), [](const auto& /*ignored*/) {});
                    },
                .now = [this] { return clock_.now(); },
                .on_online =
                    [this](const model::DeviceId& device, model::AccountId owner) {
                        updates_->on_online(device, owner);
                        products_->rollouts().on_online(device, owner);
                    },
                .on_published =
                    [this](const services::EventPtr& event) { webhooks_->on_event(event); },
                .must_ask = [this](auto&&... of) { return products_->must_ask(of...); },
                .product_of =
                    [this](auto owner, const auto& device) {
                        return products_->product_of(owner, device);
                    }});
        updates_.emplace(
            *open_devices_,
            services::Updates::Config{
                .now = [this] { return clock_.now(); },
                .later = [this](auto function) { asio::post(loop_, std::move(function)); }});
        products_.emplace(Products::Setup{.store = *store_,
                                          .devices = *open_devices_,
                                          .updates = *updates_,
                                          .entropy = entropy_,
                                          .log = log_,
                                          .now = [this] { return clock_.now(); },
                                          .spread = update_spread_});
    }

    void wire_rest() {
        webhooks_.emplace(Webhooks::Setup{
            .networks = networks_,
            .devices = *open_devices_,
            .post = [this](auto function) { asio::post(loop_, std::move(function)); },
            .now = [this] { return clock_.now(); }});
        rest_.emplace(
            *store_,
            *open_devices_,
            ring_,
            http::Rest::Config{
                .hash_token = hash_token,
                .draw = [this](MutBytes out) { return entropy_.fill(out); },
                .check_password =
                    [this](auto password, auto line, auto done) {
                        passwords_.check(std::move(password), std::move(line), std::move(done));
                    },
                .hash_password =
                    [this](auto password, auto done) {
                        passwords_.hash(std::move(password), std::move(done));
                    },
                .is_outdated = ports::is_wrapped,
                .check_otp = check_one_time_password,
                .read_device_key =
                    [](std::string_view pem) {
                        return particle_openssl::read_device_key(as_bytes(pem));
                    },
                .is_sealed_connected =
                    [this](const model::DeviceId& device) {
                        return hub_->router().is_connected(device);
                    },
                .on_released = [this](const model::DeviceId& device) { openings_->close(device); },
                .on_locked_out = [this](model::AccountId id) { hub_->close_apps_of(id); },
                .now = [this] { return clock_.now(); },
                .updates = &*updates_,
                .fleet = &products_->fleet(),
                .admission = &products_->admission(),
                .rollouts = &products_->rollouts(),
                .read_firmware = read_firmware,
                .hooks = &webhooks_->dispatcher(),
                .may_call = [this](const std::string& host) { return networks_.may_name(host); }});
    }

    Outcome<> open_admin() {
        auto acceptor = listen_for_admin(loop_, command_.state);
        if (!acceptor) return acceptor.error();
        admin_.emplace(
            loop_, *std::move(acceptor), [this](std::string_view path) { return answer(path); });
        if (command_.settings.metrics.empty()) return {};
        auto metrics = listen(loop_, {"--metrics", command_.settings.metrics, true});
        if (!metrics) return metrics.error();
        places_.metrics = text_of(metrics->local_endpoint());
        metrics_.emplace(
            loop_, AdminPort::GenericAcceptor{*std::move(metrics)}, [this](std::string_view path) {
                return path == "/metrics" ? answer(path) : nothing();
            });
        return {};
    }

    static AdminReply nothing() {
        return {.status = 404, .type = "text/plain", .body = "there is nothing at this path\n"};
    }

    AdminReply answer(std::string_view path) {
        if (path == "/metrics")
            return {.type = http::kMetricsType, .body = http::render_metrics(numbers())};
        if (path == "/status") return {.body = render_status(numbers(), places_, clock_.now())};
        return nothing();
    }

    http::Numbers numbers() {
        return {.version = kVersion,
                .started_at = started_at_,
                .counters = hub_->router().counters(),
                .census = hub_->router().census(),
                .store = store_->statistics(),
                .store_bytes = size_of_database(command_.state),
                .http_connections = http_->connection_count(),
                .event_streams = http_->stream_count(),
                .webhooks = webhooks_->dispatcher().totals(),
                .tag_gateways = tags_->gateway_count(),
                .legacy_devices = particle_ ? particle_->session_count() : 0,
                .legacy_strangers = particle_ ? particle_->half_open_count() : 0,
                .certificate_expires_s = certificates_ ? certificates_->facts().not_after : 0};
    }

    Outcome<> write_ports_file() const {
        return write_ports(
            command_.settings.ports_file,
            "http=" + http_text_ + "\ndevices=" + devices_text_ + "\n" +
                (places_.particle.empty() ? "" : "particle=" + places_.particle + "\n") +
                (places_.metrics.empty() ? "" : "metrics=" + places_.metrics + "\n"));
    }

    void on_tick() {
        sessions_->on_time();
        hub_->on_time();
        openings_->on_time();
        tags_->on_time();
        webhooks_->on_time();
        if (particle_) particle_->on_time();
        if (ticks_++ % kTicksPerSecond == 0) on_second();
        timer_.expires_after(kTick);
        timer_.async_wait([this](error_code error) {
            if (!error) on_tick();
        });
    }

    void on_second() {
        manager_.say_alive();
        updates_->on_time();
        products_->rollouts().on_time();
        if (healer_) healer_->on_time();
        const std::uint64_t failures = store_->statistics().failures;
        const std::uint64_t more = failures - std::exchange(known_failures_, failures);
        if (more > 0)
            log_.error("store-failed",
                       {{"transactions", more}, {"next", "run sotto-cloud doctor"}});
    }

    const RunCommand& command_;
    State state_;
    hal::Entropy& entropy_;
    Log& log_;
    std::optional<cose::Credential> credential_;
    std::optional<keystore::Identity> guest_;  // the cloud as a guest of devices
    std::optional<cose::Credential> guest_credential_;
    SteadyClock clock_;
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_, SIGTERM, SIGINT};
    asio::steady_timer timer_{loop_};
    asio::steady_timer stop_timer_{loop_};
    std::chrono::steady_clock::time_point stop_at_;
    const ports::ServiceManager manager_;
    const Instant started_at_ = clock_.now();
    std::uint64_t known_failures_ = 0;
    int ticks_ = 0;
    bool is_stopping_ = false;
    std::unique_ptr<store_sqlite::SqliteStore> store_;
    Capture capture_;
    std::optional<services::Hub> hub_;
    std::optional<Sessions> sessions_;
    services::EventRing ring_{clock_.now(), http::render_event};
    std::optional<services::OpenDevices> open_devices_;
    std::optional<services::Updates> updates_;
    Duration update_spread_{};
    std::optional<Products> products_;
    SystemParts system_parts_;
    std::optional<Healer> healer_;
    WebhookNetworks networks_;
    std::optional<Webhooks> webhooks_;
    Passwords passwords_{entropy_, [this](auto function) { asio::post(loop_, function); }};
    std::optional<http::Rest> rest_;
    std::optional<Openings> openings_;
    std::optional<Tags> tags_;
    std::optional<http::Api> api_;
    std::optional<Certificates> certificates_;
    std::optional<CertificateWatch> watch_;
    std::optional<Acceptor> http_acceptor_;
    std::optional<Acceptor> devices_acceptor_;
    std::optional<HttpPort> http_;
    std::optional<GatewayPort> gateways_;
    std::vector<particle_openssl::ServerKey> particle_keys_;
    std::optional<ParticlePort> particle_;
    std::string http_text_;
    std::string devices_text_;
    std::optional<AdminPort> admin_;
    std::optional<AdminPort> metrics_;
    Places places_;
};

}  // namespace

Outcome<> run(const RunCommand& command, hal::Entropy& entropy, Log& log) {
    SOTTO_TRY_ASSIGN(State state, open_state(command.state));
    raise_socket_limit();
    Cloud cloud{command, std::move(state), entropy, log};
    SOTTO_TRY(cloud.open());
    if (const Settings& settings = command.settings;
        settings.insecure && !speaks_tls(settings, settings.http))
        log.warn("insecure", {{"why", "tokens cross the network readable for everybody in it"}});
    cloud.run();
    log.info("stopped");
    return {};
}

}  // namespace sotto::cloud::server
