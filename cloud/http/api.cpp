// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/api.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/limits.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/services/limits.hpp"
#include "cloud/services/scope.hpp"
#include "core/base/hex.hpp"
#include "core/framing/limits.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {
namespace {

using nlohmann::json;

constexpr std::string_view kPrefix = "/sotto/v1/";

struct Words {
    Problem problem;
    unsigned status;
    const char* error;
    const char* what;
    const char* next;
};

constexpr std::array<Words, kProblemCount> kWords{{
    {Problem::Malformed,
     400,
     "malformed",
     "the request cannot be understood",
     "See docs/protocol/http.md for what this cloud understands"},
    {Problem::NotSignedIn,
     401,
     "sign-in",
     "the request carries no token that this cloud knows",
     "Send Authorization: Bearer and the token that sotto-cloud made for the account"},
    {Problem::NotFound,
     404,
     "not-found",
     "there is nothing at this address",
     "See docs/protocol/http.md for what this cloud offers"},
    {Problem::WrongMethod,
     405,
     "method",
     "this address does not take that method",
     "Use a method that the Allow header names"},
    {Problem::TooLarge, 413, "too-large", "the request is too large", "Send less"},
    {Problem::NoUpgrade,
     426,
     "upgrade",
     "this address speaks WebSocket only",
     "Ask for an upgrade to WebSocket (RFC 6455)"},
    {Problem::WantsTls,
     426,
     "tls",
     "this port speaks TLS only, and what was sent to it may have been read on the way",
     "Use https:// in the address"},
    {Problem::TooMany,
     429,
     "too-many",
     "the account has as many unused claims as it may have",
     "Use one of them, or wait up to an hour"},
    {Problem::HeaderTooLarge,
     431,
     "header-too-large",
     "the header of the request is too large",
     "Send less"},
    {Problem::Failed,
     500,
     "failed",
     "the cloud failed and nothing was done",
     "Try again; if it stays so, look at the log of sotto-cloud"},
    {Problem::Busy,
     503,
     "busy",
     "the cloud has more to do than it can",
     "Try again in a few seconds"},
}};

Reply reply(const json& body) { return {.status = 200, .body = body.dump()}; }

bool is_bearer(std::string_view scheme) {
    constexpr std::string_view kBearer = "bearer ";
    if (scheme.size() < kBearer.size()) return false;
    for (std::size_t i = 0; i < kBearer.size(); ++i) {
        const char c = scheme[i];
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if (lower != kBearer[i]) return false;
    }
    return true;
}

std::pair<std::string_view, std::string_view> split(std::string_view target) {
    const std::size_t mark = target.find('?');
    if (mark == std::string_view::npos) return {target, {}};
    return {target.substr(0, mark), target.substr(mark + 1)};
}

// The device of which something, by this name, is at this path.
std::optional<std::string_view> device_at(std::string_view path, std::string_view name) {
    constexpr std::string_view kFront = "devices/";
    if (!path.starts_with(kFront) || !path.ends_with(name)) return std::nullopt;
    path.remove_prefix(kFront.size());
    if (path.size() < name.size()) return std::nullopt;
    path.remove_suffix(name.size());
    return path;
}

// {"key"}, in hex, into the key. False: it is something else.
bool parse_tag_key(std::string_view body, model::TagKey& key) {
    json parsed = json::parse(body, nullptr, false);
    const bool is_text = parsed.is_object() && parsed.size() == 1 && parsed.contains("key") &&
                         parsed["key"].is_string();
    if (!is_text) return false;
    auto& text = parsed["key"].get_ref<std::string&>();
    const bool is_key = from_hex(text, key.key.fill());
    wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    return is_key;
}

// {"name", "token", "scope"}, all of them texts. Nothing: it is something else.
std::optional<model::Opening> parse_opening(std::string_view body) {
    const json parsed = json::parse(body, nullptr, false);
    if (!parsed.is_object() || parsed.size() != 3) return std::nullopt;
    for (const char* name : {"name", "token", "scope"}) {
        if (!parsed.contains(name) || !parsed[name].is_string()) return std::nullopt;
    }
    model::Opening opening{.name = parsed["name"], .scope = parsed["scope"]};
    const std::string token = parsed["token"];
    opening.token.resize(token.size() / 2);
    const bool is_token = !opening.token.empty() && opening.token.size() <= kAccessTokenSizeMax &&
                          from_hex(token, opening.token);
    const bool is_name =
        opening.name.size() <= kDeviceNameSizeMax && framing::is_printable_utf8(opening.name);
    if (!is_token || !is_name || !services::parse_scope(opening.scope)) return std::nullopt;
    return opening;
}

// RFC 9110 §15.5.22: 426 names the protocol that is wanted; RFC 2817 §4.2 gives TLS its name.
const char* upgrade_of(Problem problem) {
    if (problem == Problem::NoUpgrade) return "websocket";
    return problem == Problem::WantsTls ? "TLS/1.2, HTTP/1.1" : "";
}

}  // namespace

Reply to_reply(Problem problem) {
    const Words& words = kWords[static_cast<std::size_t>(problem)];
    return {.status = words.status,
            .body = json{{"error", words.error}, {"what", words.what}, {"next", words.next}}.dump(),
            .upgrade = upgrade_of(problem)};
}

Problem to_problem(Error error) {
    if (error == Error::NotFound) return Problem::NotSignedIn;  // no account without its token
    if (error == Error::NoSpace) return Problem::TooMany;
    return error == Error::Busy ? Problem::Busy : Problem::Failed;
}

std::optional<model::AppId> parse_channel_query(std::string_view query) {
    constexpr std::string_view kName = "app=";
    model::AppId app;
    if (!query.starts_with(kName)) return std::nullopt;
    query.remove_prefix(kName.size());
    if (!from_hex(query, app.bytes)) return std::nullopt;
    return app;
}

std::string_view token_of(std::string_view authorization) {
    if (!is_bearer(authorization)) return {};
    authorization.remove_prefix(std::string_view{"Bearer "}.size());
    const bool is_token =
        authorization.size() <= framing::kTokenSizeMax && framing::is_visible_ascii(authorization);
    return is_token ? authorization : std::string_view{};
}

// Finds the account of a token, and goes on with it.
template <class Function>
void Api::sign_in(const Request& request, Done done, Function function) {
    const std::string_view token = token_of(request.authorization);
    if (token.empty()) return done(to_reply(Problem::NotSignedIn));
    store_.find_token(config_.hash_token(token),
                      model::TokenKind::Account,
                      [done = std::move(done),
                       function = std::move(function)](const Result<model::TokenHolder>& holder) {
                          if (!holder) return done(to_reply(to_problem(holder.error())));
                          function(holder->account, done);
                      });
}

Api::Route Api::find_route(std::string_view path, Method method, Reply& refusal) {
    struct Entry {
        std::string_view path;
        Method method;
        const char* allow;
        Route route;
    };
    static constexpr Entry kEntries[] = {{"health", Method::Get, "GET", nullptr},
                                         {"channel", Method::Get, "GET", nullptr},
                                         {"cloud", Method::Get, "GET", &Api::get_cloud},
                                         {"devices", Method::Get, "GET", &Api::get_devices},
                                         {"claims", Method::Post, "POST", &Api::make_claim}};
    refusal = to_reply(Problem::NotFound);
    for (const Entry& entry : kEntries) {
        if (path != entry.path) continue;
        if (method == entry.method) return entry.route;
        refusal = to_reply(Problem::WrongMethod);
        refusal.allow = entry.allow;
    }
    return nullptr;
}

void Api::handle(const Request& request, Done done) {
    if (config_.rest != nullptr && Rest::is_for(request.target))
        return config_.rest->handle(request, std::move(done));
    auto [path, query] = split(request.target);
    if (!path.starts_with(kPrefix)) return done(to_reply(Problem::NotFound));
    path.remove_prefix(kPrefix.size());
    if (path == "health" && request.method == Method::Get) return get_health(done);
    if (path == "channel" && request.method == Method::Get) {
        const auto app = parse_channel_query(query);
        if (!app) return done(to_reply(Problem::Malformed));
        if (!request.is_upgrade) return done(to_reply(Problem::NoUpgrade));
        return sign_in(
            request, std::move(done), [app = *app](model::AccountId account, const Done& open) {
                open(OpenChannel{{.account = account, .app = app}});
            });
    }
    if (const auto device = device_at(path, "/opening"))
        return change_opening(request, *device, std::move(done));
    if (const auto device = device_at(path, "/tag-key"))
        return change_tag_key(request, *device, std::move(done));
    Reply refusal;
    const Route route = find_route(path, request.method, refusal);
    if (route == nullptr) return done(std::move(refusal));
    sign_in(request, std::move(done), [this, route](model::AccountId account, const Done& go_on) {
        (this->*route)(account, go_on);
    });
}

namespace {

Reply health_reply(bool is_healthy) {
    if (is_healthy) return reply({{"status", "ok"}, {"version", 1}});
    return {.status = 503,
            .body = json{{"status", "failing"},
                         {"version", 1},
                         {"error", "store"},
                         {"what", "the database cannot be written"},
                         {"next", "Run sotto-cloud doctor on the cloud's machine"}}
                        .dump()};
}

}  // namespace

// Whether the cloud can do its work: whether what it writes reaches the disk.
void Api::get_health(const Done& done) {
    const Instant now = config_.now();
    if (health_known_at_ && now - *health_known_at_ < kHealthLife)
        return done(health_reply(is_healthy_));
    waiting_for_health_.push_back(done);
    if (waiting_for_health_.size() > 1) return;
    store_.set_setting("probed_ms", std::to_string(now.ms), [this](const Status& written) {
        health_known_at_ = config_.now();
        is_healthy_ = written.has_value();
        for (const Done& waiting : std::exchange(waiting_for_health_, {}))
            waiting(health_reply(is_healthy_));
    });
}

void Api::get_cloud(model::AccountId /*account*/, const Done& done) {
    done(reply({{"version", 1},
                {"credential", config_.credential},
                {"guest", config_.guest},
                {"address", config_.address}}));
}

void Api::get_devices(model::AccountId account, const Done& done) {
    store_.list_devices(
        account, [this, done](const Result<std::vector<model::Registration>>& registrations) {
            if (!registrations) return done(to_reply(to_problem(registrations.error())));
            json devices = json::array();
            for (const model::Registration& registration : *registrations) {
                devices.push_back(
                    {{"id", to_hex<std::string>(registration.device)},
                     {"credential_hash", to_hex<std::string>(registration.credential)},
                     {"connected", config_.is_connected(registration.device)},
                     {"registered_ms", registration.registered_at.ms}});
            }
            done(reply({{"devices", std::move(devices)}}));
        });
}

void Api::change_opening(const Request& request, std::string_view device, Done done) {
    model::DeviceId id{};
    if (!from_hex(device, id)) return done(to_reply(Problem::NotFound));
    if (request.method == Method::Delete)
        return sign_in(request, std::move(done), [this, id](auto account, const Done& go_on) {
            erase_opening(account, id, go_on);
        });
    if (request.method != Method::Put) {
        Reply refusal = to_reply(Problem::WrongMethod);
        refusal.allow = "PUT, DELETE";
        return done(std::move(refusal));
    }
    auto opening = parse_opening(request.body);
    if (!opening) return done(to_reply(Problem::Malformed));
    opening->device = id;
    sign_in(request,
            std::move(done),
            [this, opening = *std::move(opening)](auto account, const Done& go_on) {
                model::Opening owned = opening;
                owned.account = account;
                set_opening(std::move(owned), go_on);
            });
}

void Api::change_tag_key(const Request& request, std::string_view device, Done done) {
    model::TagKey key;
    if (!from_hex(device, key.device)) return done(to_reply(Problem::NotFound));
    const bool is_given = request.method == Method::Put;
    if (!is_given && request.method != Method::Delete) {
        Reply refusal = to_reply(Problem::WrongMethod);
        refusal.allow = "PUT, DELETE";
        return done(std::move(refusal));
    }
    if (is_given && !parse_tag_key(request.body, key)) return done(to_reply(Problem::Malformed));
    sign_in(request, std::move(done), [this, key, is_given](auto account, const Done& go_on) {
        if (!is_given) return erase_tag_key(account, key.device, go_on);
        model::TagKey owned = key;
        owned.account = account;
        set_tag_key(owned, go_on);
    });
}

void Api::set_tag_key(const model::TagKey& key, const Done& done) {
    store_.set_tag_key(key,
                       [this, done, device = key.device, account = key.account](const Status& set) {
                           on_tag_key(account, device, set, done);
                       });
}

void Api::erase_tag_key(model::AccountId account, const model::DeviceId& device, const Done& done) {
    store_.erase_tag_key(account, device, [this, done, device, account](const Status& erased) {
        on_tag_key(account, device, erased, done);
    });
}

void Api::on_tag_key(model::AccountId account,
                     const model::DeviceId& device,
                     const Status& changed,
                     const Done& done) {
    if (!changed && changed.error() == Error::NotFound) return done(to_reply(Problem::NotFound));
    if (!changed) return done(to_reply(to_problem(changed.error())));
    if (config_.on_tag_keys_changed) config_.on_tag_keys_changed(account);
    done(reply({{"id", to_hex<std::string>(device)}}));
}

void Api::set_opening(model::Opening opening, const Done& done) {
    store_.set_opening(
        std::move(opening), config_.now(), [this, done](const Result<model::Opening>& opened) {
            if (!opened && opened.error() == Error::NotFound)
                return done(to_reply(Problem::NotFound));
            if (!opened) return done(to_reply(to_problem(opened.error())));
            if (config_.on_opened) config_.on_opened(*opened);
            done(reply({{"id", to_hex<std::string>(opened->device)}, {"scope", opened->scope}}));
        });
}

void Api::erase_opening(model::AccountId account, const model::DeviceId& device, const Done& done) {
    store_.erase_opening(account, device, [this, done, device](const Status& erased) {
        if (!erased && erased.error() == Error::NotFound) return done(to_reply(Problem::NotFound));
        if (!erased) return done(to_reply(to_problem(erased.error())));
        if (config_.on_closed) config_.on_closed(device);
        done(reply({{"id", to_hex<std::string>(device)}}));
    });
}

void Api::make_claim(model::AccountId account, const Done& done) {
    const auto code = config_.draw_claim();
    if (!code) return done(to_reply(Problem::Failed));
    const Instant now = config_.now();
    store_.create_claim(
        {.code = *code, .account = account, .expires_at = now + services::kClaimLife},
        services::kOpenClaimsPerAccountMax,
        now,
        [code = *code, done](const Status& created) {
            if (!created) return done(to_reply(to_problem(created.error())));
            done(reply({{"claim", to_hex<std::string>(code.bytes)}}));
        });
}

}  // namespace sotto::cloud::http
