// SPDX-License-Identifier: Apache-2.0
// Programs of a product (call->product): API users, each with one token that is good for what its
// scopes say, in this product alone. A product has one user here, who makes them.
#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "cloud/http/scopes.hpp"
#include "core/base/hex.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using model::Scope;
using model::TokenInfo;
using nlohmann::json;

namespace {

constexpr std::size_t kTailBytes = 5;
constexpr std::size_t kSlugSizeMax = 40;
// What makes other tokens, or concerns more than the product.
constexpr model::Scopes kNotForPrograms = static_cast<model::Scopes>(Scope::User) |
                                          static_cast<model::Scopes>(Scope::Users) |
                                          static_cast<model::Scopes>(Scope::DevicesClaim);

Reply invalid(const char* what) { return rest_refusal(400, "invalid_request", what); }

Reply failure(Error error) {
    if (error == Error::NotFound)
        return rest_refusal(404, "not_found", "This product has no such API user");
    if (error == Error::NoSpace)
        return rest_refusal(429, "too_many_api_users", "This product has 64 API users; delete one");
    return rest_failure(error);
}

json told(const std::string& name,
          const std::string& friendly_name,
          model::Scopes scopes,
          model::ProductId product) {
    return {{"username", name},
            {"friendly_name", friendly_name},
            {"is_programmatic", true},
            {"scopes", names_of(scopes)},
            {"product_id", product.value()}};
}

// "Weather station" becomes weather-station.
std::string slug_of(const std::string& name) {
    std::string slug;
    for (const char c : name) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        const bool is_kept = is_upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (is_kept) {
            slug.push_back(is_upper ? static_cast<char>(c - 'A' + 'a') : c);
        } else if (!slug.empty() && slug.back() != '-') {
            slug.push_back('-');
        }
        if (slug.size() == kSlugSizeMax) break;
    }
    while (!slug.empty() && slug.back() == '-') slug.pop_back();
    return slug.empty() ? "program" : slug;
}

// Nothing: one of them is not known, or not for programs, or there is none.
std::optional<model::Scopes> scopes_in(const json& given) {
    const json list = given.value("scopes", json());
    if (!list.is_array() || list.empty()) return std::nullopt;
    std::string names;
    for (const json& name : list) {
        if (!name.is_string() || name == "*:*" || name == "") return std::nullopt;
        names += name.get<std::string>() + " ";
    }
    const auto scopes = parse_scopes(names);
    if (!scopes || (*scopes & kNotForPrograms) != 0) return std::nullopt;
    return scopes;
}

constexpr const char* kScopesWanted =
    "scopes: name what it may do, as devices:list or events:send; what concerns the account, other "
    "tokens or the owning of devices is not for programs";

json body_of(const Call& call) {
    json given = json::parse(call.request.body, nullptr, false);
    return given.is_object() ? given : json::object();
}

std::string text_in(const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_good_name(const std::string& name) {
    return !name.empty() && name.size() <= kUserNameSizeMax && framing::is_printable_utf8(name);
}

}  // namespace

void Rest::list_team(const CallPtr& call) {
    store_.list_api_users(
        call->access.account, call->product, [call](const Result<std::vector<TokenInfo>>& users) {
            if (!users) return call->done(failure(users.error()));
            json list = json::array({{{"username", call->access.user},
                                      {"is_programmatic", false},
                                      {"product_id", call->product.value()}}});
            for (const TokenInfo& user : *users)
                list.push_back(told(user.name, user.client, user.scopes, call->product));
            call->done(rest_reply(list));
        });
}

void Rest::create_api_user(const CallPtr& call) {
    const json given = body_of(*call);
    const std::string friendly_name = text_in(given, "friendly_name");
    if (friendly_name.empty() && given.contains("username"))
        return call->done(rest_refusal(
            501, "not_implemented", "A product has one user here; make an API user for a program"));
    if (!is_good_name(friendly_name))
        return call->done(invalid("friendly_name: take 1 to 64 printable characters"));
    const auto scopes = scopes_in(given);
    if (!scopes) return call->done(invalid(kScopesWanted));
    const auto token = draw_token();
    std::array<std::uint8_t, kTailBytes> tail{};
    if (!token || !config_.draw(tail)) return call->done(rest_failure(Error::EntropyFailed));
    const model::Token user{
        .hash = config_.hash_token(*token),
        .kind = model::TokenKind::ApiUser,
        .account = call->access.account,
        .name = slug_of(friendly_name) + "+" + to_hex<std::string>(tail) + "@api",
        .client = friendly_name,
        .scopes = *scopes,
        .expires_at = {},
        .product = call->product.value()};
    store_.add_token(user, config_.now(), [this, call, user, token = *token](const Status& added) {
        if (!added) return call->done(failure(added.error()));
        audit(*call, "api-user-create", user.name, "done");
        json created = told(user.name, user.client, user.scopes, call->product);
        created["tokens"] = json::array({{{"token", token}}});
        call->done(rest_reply({{"ok", true}, {"created", created}}, 201));
    });
}

// Goes on with the token of the API user that the first place names.
template <class Function>
void Rest::with_api_user(const CallPtr& call, Function function) {
    store_.list_api_users(call->access.account,
                          call->product,
                          [call, function](const Result<std::vector<TokenInfo>>& users) {
                              if (!users) return call->done(failure(users.error()));
                              const auto found =
                                  std::ranges::find(*users, call->places[0], &TokenInfo::name);
                              if (found == users->end())
                                  return call->done(failure(Error::NotFound));
                              function(model::Token{.hash = found->hash,
                                                    .kind = model::TokenKind::ApiUser,
                                                    .account = call->access.account,
                                                    .name = found->name,
                                                    .client = found->client,
                                                    .scopes = found->scopes,
                                                    .expires_at = {},
                                                    .product = call->product.value()});
                          });
}

void Rest::change_api_user(const CallPtr& call) {
    with_api_user(call, [this, call](model::Token user) {
        const json given = body_of(*call);
        if (given.contains("friendly_name")) user.client = text_in(given, "friendly_name");
        if (!is_good_name(user.client))
            return call->done(invalid("friendly_name: take 1 to 64 printable characters"));
        if (given.contains("scopes")) {
            const auto scopes = scopes_in(given);
            if (!scopes) return call->done(invalid(kScopesWanted));
            user.scopes = *scopes;
        }
        store_.update_api_user(user, [this, call, user](const Status& updated) {
            forget_access();
            if (!updated) return call->done(failure(updated.error()));
            audit(*call, "api-user-update", user.name, "done");
            call->done(rest_reply(
                {{"ok", true},
                 {"updated", told(user.name, user.client, user.scopes, call->product)}}));
        });
    });
}

void Rest::renew_api_user(const CallPtr& call) {
    with_api_user(call, [this, call](model::Token user) {
        const auto token = draw_token();
        if (!token) return call->done(rest_failure(Error::EntropyFailed));
        user.hash = config_.hash_token(*token);
        store_.renew_api_user(
            user, config_.now(), [this, call, user, token = *token](const Status& renewed) {
                forget_access();
                if (!renewed) return call->done(failure(renewed.error()));
                audit(*call, "api-user-token", user.name, "done");
                json body = told(user.name, user.client, user.scopes, call->product);
                body["ok"] = true;
                body["token"] = token;
                body["tokens"] = json::array({{{"token", token}}});
                call->done(rest_reply(body));
            });
    });
}

void Rest::erase_api_user(const CallPtr& call) {
    store_.erase_api_user(
        call->access.account, call->product, call->places[0], [this, call](const Status& erased) {
            forget_access();
            if (!erased) return call->done(failure(erased.error()));
            audit(*call, "api-user-delete", call->places[0], "done");
            call->done(Reply{.status = 204, .body = {}});
        });
}

}  // namespace sotto::cloud::http
