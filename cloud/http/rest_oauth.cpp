// SPDX-License-Identifier: Apache-2.0
// Users and their tokens.
#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/api.hpp"
#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "cloud/http/scopes.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr std::size_t kTokenBytes = 20;  // 40 digits of hex, as clients know them

// Programs that everybody has, and so has their secrets.
constexpr std::string_view kClients[] = {
    "particle-cli", "particle-api", "particle", "CLI2", "spark", "spark-cli", "spark-server"};

std::string client_of(const Call& call) {
    if (const std::string id = call.field("client_id"); !id.empty()) return id;
    const auto basic = basic_of(call.request.authorization);
    return basic ? basic->first : std::string{};
}

std::string client_secret_of(const Call& call) {
    if (const std::string secret = call.field("client_secret"); !secret.empty()) return secret;
    const auto basic = basic_of(call.request.authorization);
    return basic ? basic->second : std::string{};
}

// How long, or nothing for ever; Error::Malformed if that is no number.
Result<std::optional<Duration>> life_of(const std::string& text) {
    if (text.empty()) return std::optional{kTokenLife};
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size() || count < 0)
        return Error::Malformed;
    if (count == 0) return std::optional<Duration>{};
    return std::optional{seconds(std::min(count, kTokenLifeMax.ms / 1'000))};
}

json expiry_of(const std::optional<Instant>& expires_at) {
    return expires_at ? json(to_iso(expires_at->ms)) : json();
}

Reply wrong_password() {
    return rest_refusal(400, "invalid_grant", "User credentials are invalid");
}

}  // namespace

Result<std::string> Rest::draw_token() {
    std::array<std::uint8_t, kTokenBytes> bytes{};
    SOTTO_TRY(config_.draw(bytes));
    return to_hex<std::string>(bytes);
}

void Rest::make_token(const CallPtr& call) {
    if (!guard_.may_ask_for_token(call->request.address, config_.now()))
        return call->done(rest_refusal(429, "too_many_requests", "Too many requests; wait a bit"));
    const auto scopes = parse_scopes(call->field("scope"));
    if (!scopes)
        return call->done(rest_refusal(400, "invalid_scope", "One of the scopes is not known"));
    const std::string client = client_of(*call);
    if (std::ranges::find(kClients, client) != std::end(kClients)) return grant(call, *scopes);
    grant_to_client(call, *scopes);
}

// A program of its own shows its secret; what it is for narrows what it gets.
void Rest::grant_to_client(const CallPtr& call, std::uint32_t scopes) {
    store_.find_client(
        client_of(*call), [this, call, scopes](const Result<model::ClientRecord>& client) {
            if (!client && client.error() != Error::NotFound)
                return call->done(rest_failure(client.error()));
            if (!client || config_.hash_token(client_secret_of(*call)) != client->secret)
                return call->done(
                    rest_refusal(400,
                                 "invalid_client",
                                 "This client is not known here, or its secret is another one; be "
                                 "particle-api"));
            const std::uint32_t narrowed = scopes & parse_scopes(client->scope).value_or(0);
            if (narrowed == 0)
                return call->done(rest_refusal(
                    400, "invalid_scope", "What is asked for is not what this client is for"));
            if (call->field("grant_type") != "client_credentials") return grant(call, narrowed);
            if (client->product != model::ProductId{})
                return call->done(rest_refusal(
                    400,
                    "unauthorized_client",
                    "A client of a product gets no token of its own: this cloud has no customers"));
            call->access = {.account = client->account,
                            .user = {},
                            .client = client->id,
                            .scopes = narrowed,
                            .expires_at = {}};
            issue(call, model::Access{call->access});
        });
}

void Rest::grant(const CallPtr& call, std::uint32_t scopes) {
    const std::string grant = call->field("grant_type");
    if (grant == "password") return log_in(call, scopes);
    if (grant == "refresh_token") return refresh(call);
    if (grant == "urn:custom:mfa-otp") return finish_log_in(call);
    call->done(rest_refusal(400,
                            "unsupported_grant_type",
                            "Known grant types are password, refresh_token, urn:custom:mfa-otp, "
                            "and for a client of its user client_credentials"));
}

// Goes on only with the right password; whoever asks is told that, and how long it takes tells
// nothing about whether there is such a user.
void Rest::check_login(const CallPtr& call,
                       const std::string& user,
                       const std::string& password,
                       std::function<void(const model::Login&)> done) {
    if (!guard_.may_log_in(call->request.address, user, config_.now())) {
        audit(*call, "login", user, "locked");
        return call->done(too_many_log_ins());
    }
    if (password.size() > kPasswordSizeMax) return call->done(wrong_password());
    store_.find_login(user,
                      [this, call, user, password, done = std::move(done)](
                          const Result<model::Login>& login) mutable {
                          if (!login && login.error() != Error::NotFound)
                              return call->done(rest_failure(login.error()));
                          const model::Login known = login ? *login : model::Login{};
                          config_.check_password(
                              password,
                              known.password,
                              [this, call, user, password, known, done = std::move(done)](
                                  const Result<bool>& is_good) {
                                  if (!is_good) return call->done(rest_failure(is_good.error()));
                                  if (!*is_good || known.is_disabled) {
                                      guard_.on_failure(call->request.address, user, config_.now());
                                      audit(
                                          *call, "login", user, *is_good ? "disabled" : "refused");
                                      return call->done(wrong_password());
                                  }
                                  // Else who knows the password could guess the second factor for
                                  // ever.
                                  if (known.otp_secret.empty())
                                      guard_.on_success(call->request.address, user);
                                  if (config_.is_outdated && config_.is_outdated(known.password))
                                      renew_password(known, password);
                                  done(known);
                              });
                      });
}

// Nobody waits for it: until it is done, the line that there is is as good.
void Rest::renew_password(const model::Login& login, const std::string& password) {
    config_.hash_password(password, [this, login](const Result<std::string>& line) {
        if (line) store_.renew_password(login.account, login.password, *line, [](const Status&) {});
    });
}

void Rest::log_in(const CallPtr& call, std::uint32_t scopes) {
    const std::string user = call->field("username");
    check_login(
        call, user, call->field("password"), [this, call, user, scopes](const model::Login& login) {
            const model::Access access{.account = login.account,
                                       .user = user,
                                       .client = client_of(*call),
                                       .scopes = scopes,
                                       .expires_at = {}};
            if (!login.otp_secret.empty()) return ask_for_otp(call, access);
            issue(call, access);
        });
}

void Rest::refresh(const CallPtr& call) {
    const model::TokenHash hash = config_.hash_token(call->field("refresh_token"));
    store_.take_refresh(hash, config_.now(), [this, call](const Result<model::Access>& access) {
        if (access) return issue(call, *access);
        if (access.error() != Error::NotFound) return call->done(rest_failure(access.error()));
        call->done(rest_refusal(400, "invalid_grant", "The refresh token is invalid"));
    });
}

// A token and one to come back with.
void Rest::issue(const CallPtr& call, const model::Access& access) {
    const auto life = life_of(call->field("expires_in"));
    if (!life)
        return call->done(
            rest_refusal(400, "invalid_request", "expires_in must be a number of seconds"));
    const auto token = draw_token();
    const auto again = draw_token();
    if (!token || !again) return call->done(rest_failure(Error::EntropyFailed));
    const Instant now = config_.now();
    call->access = access;
    model::Token stored{.hash = config_.hash_token(*token),
                        .kind = model::TokenKind::Access,
                        .account = access.account,
                        .name = {},
                        .client = access.client,
                        .scopes = access.scopes};
    stored.name = to_hex<std::string>(Bytes{stored.hash.bytes}.first(8));
    if (*life) stored.expires_at = now + **life;
    model::Token second = stored;
    second.hash = config_.hash_token(*again);
    second.kind = model::TokenKind::Refresh;
    second.name = to_hex<std::string>(Bytes{second.hash.bytes}.first(8));
    second.expires_at = now + kRefreshLife;
    store_.add_token(second, now, [](const Status&) {});
    store_.add_token(
        stored,
        now,
        [this, call, token = *token, again = *again, life = *life](const Status& added) {
            if (!added) return call->done(rest_failure(added.error()));
            audit(*call, "login", call->access.client, "done");
            json body{{"token_type", "bearer"},
                      {"access_token", token},
                      {"expires_in", life ? life->ms / 1'000 : 0},
                      {"refresh_token", again}};
            if (call->access.scopes != model::kAllScopes) {
                std::string names;
                for (const std::string& name : names_of(call->access.scopes))
                    names += (names.empty() ? "" : " ") + name;
                body["scope"] = names;
            }
            call->done(rest_reply(body));
        });
}

void Rest::get_token(const CallPtr& call) {
    const model::Access& access = call->access;
    call->done(rest_reply({{"expires_at", expiry_of(access.expires_at)},
                           {"client", access.client},
                           {"client_id", access.client},
                           {"scopes", names_of(access.scopes)},
                           {"orgs", json::array()}}));
}

void Rest::list_tokens(const CallPtr& call) {
    if (!guard_.may_ask_for_token(call->request.address, config_.now()))
        return call->done(rest_refusal(429, "too_many_requests", "Too many requests; wait a bit"));
    if (const auto basic = basic_of(call->request.authorization)) {
        return check_login(
            call, basic->first, basic->second, [this, call](const model::Login& login) {
                if (!login.otp_secret.empty())
                    return call->done(
                        rest_refusal(403,
                                     "forbidden",
                                     "This user logs in with one-time passwords; use a token"));
                list_tokens_of(call, login.account);
            });
    }
    call->token = config_.hash_token(token_of(call->request.authorization));
    find_access(call, [this, call](const Result<model::Access>& access) {
        if (!access)
            return call->done(
                rest_refusal(401, "invalid_token", "The access token provided is invalid."));
        if (!has_scope(access->scopes, model::Scope::User))
            return call->done(rest_refusal(403, "insufficient_scope", "Permission denied"));
        list_tokens_of(call, access->account);
    });
}

void Rest::list_tokens_of(const CallPtr& call, model::AccountId account) {
    store_.list_tokens(
        account, config_.now(), [call](const Result<std::vector<model::TokenInfo>>& tokens) {
            if (!tokens) return call->done(rest_failure(tokens.error()));
            json list = json::array();
            for (const model::TokenInfo& token : *tokens) {
                if (token.kind == model::TokenKind::Refresh) continue;
                // What is kept of a token is no token; it names it, for its user to revoke it.
                list.push_back({{"id", to_hex<std::string>(token.hash.bytes)},
                                {"token", to_hex<std::string>(token.hash.bytes)},
                                {"client", token.client},
                                {"scopes", names_of(token.scopes)},
                                {"created_at", to_iso(token.created_at.ms)},
                                {"expires_at", expiry_of(token.expires_at)}});
            }
            call->done(rest_reply(list));
        });
}

void Rest::erase_current_token(const CallPtr& call) {
    store_.erase_token(call->token, call->access.account, [this, call](const Status& erased) {
        forget_access();
        if (!erased) return call->done(rest_failure(erased.error()));
        audit(*call, "token-revoke", call->access.client, "done");
        call->done(rest_reply({{"ok", true}}));
    });
}

void Rest::erase_token(const CallPtr& call) {
    if (!guard_.may_ask_for_token(call->request.address, config_.now()))
        return call->done(rest_refusal(429, "too_many_requests", "Too many requests; wait a bit"));
    const auto erase = [this, call](const model::TokenHash& hash,
                                    std::optional<model::AccountId> account) {
        store_.erase_token(hash, account, [this, call](const Status& erased) {
            forget_access();
            if (!erased) return call->done(rest_failure(erased.error()));
            audit(*call, "token-revoke", {}, "done");
            call->done(rest_reply({{"ok", true}}));
        });
    };
    model::TokenHash id;
    if (!from_hex(call->places[0], id.bytes))
        return erase(config_.hash_token(call->places[0]), std::nullopt);
    call->token = config_.hash_token(token_of(call->request.authorization));
    find_access(call, [call, erase, id](const Result<model::Access>& access) {
        if (!access || !has_scope(access->scopes, model::Scope::User))
            return call->done(
                rest_refusal(404, "not_found", "There is no such token, or it is another user's"));
        call->access = *access;
        erase(id, access->account);
    });
}

void Rest::erase_all_tokens(const CallPtr& call) {
    store_.erase_tokens(call->access.account, [this, call](const Result<std::size_t>& count) {
        forget_access();
        if (!count) return call->done(rest_failure(count.error()));
        audit(*call, "token-revoke", "all", "done");
        call->done(rest_reply({{"ok", true}, {"count", *count}}));
    });
}

void Rest::get_user(const CallPtr& call) {
    call->done(rest_reply({{"username", call->access.user},
                           {"administrator", call->access.is_administrator},
                           {"subscription_ids", json::array()},
                           {"account_info", json::object()}}));
}

void Rest::change_user(const CallPtr& call) {
    const std::string password = call->field("password");
    if (password.size() < kPasswordSizeMin || password.size() > kPasswordSizeMax)
        return call->done(rest_refusal(
            400, "invalid_request", "A password has 8 to 256 bytes, and is in the field password"));
    check_login(
        call,
        call->access.user,
        call->field("current_password"),
        [this, call, password](const model::Login& login) {
            config_.hash_password(
                password, [this, call, account = login.account](const Result<std::string>& line) {
                    if (!line) return call->done(rest_failure(line.error()));
                    store_.set_password(account, *line, [this, call, account](const Status& set) {
                        if (!set) return call->done(rest_failure(set.error()));
                        audit(*call, "password", call->access.user, "done");
                        store_.erase_tokens(
                            account, [this, call](const Result<std::size_t>& count) {
                                forget_access();
                                if (!count) return call->done(rest_failure(count.error()));
                                call->done(rest_reply(
                                    {{"ok", true}, {"message", "Password changed; log in again"}}));
                            });
                    });
                });
        });
}

}  // namespace sotto::cloud::http
