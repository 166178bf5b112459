// SPDX-License-Identifier: Apache-2.0
// Programs with secrets of their own (OAuth clients), and what this cloud has none of.
#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_find.hpp"
#include "cloud/http/rest_replies.hpp"
#include "cloud/http/scopes.hpp"
#include "core/framing/text.hpp"

namespace sotto::cloud::http {

using model::ClientRecord;
using nlohmann::json;

namespace {

constexpr std::size_t kClientIdBytes = 8;

json client_json(const ClientRecord& client) {
    json body{{"id", client.id},
              {"name", client.name},
              {"type", client.type},
              {"scope", client.scope},
              {"redirect_uri", client.redirect_uri},
              {"created_at", to_iso(client.created_at.ms)}};
    if (client.product != model::ProductId{}) body["product_id"] = client.product.value();
    return body;
}

Reply client_failure(Error error) {
    if (error == Error::NotFound)
        return rest_refusal(404, "not_found", "This user has no such client");
    if (error == Error::NoSpace)
        return rest_refusal(429, "too_many_clients", "This user has 64 clients");
    return rest_failure(error);
}

// Nothing if it is good.
std::optional<Reply> check(const ClientRecord& client) {
    if (client.name.empty() || client.name.size() > kDeviceNameSizeMax ||
        !framing::is_printable_utf8(client.name))
        return invalid_request("name: a client has one of 1 to 64 characters");
    if (client.type != "installed" && client.type != "web")
        return invalid_request("type: installed or web");
    if (client.redirect_uri.size() > kNotesSizeMax || client.scope.size() > kNotesSizeMax ||
        !parse_scopes(client.scope))
        return invalid_request("scope: names of scopes, or none for all");
    return std::nullopt;
}

}  // namespace

void Rest::list_clients(const CallPtr& call) {
    store_.list_clients(call->access.account,
                        [call](const Result<std::vector<ClientRecord>>& clients) {
                            if (!clients) return call->done(client_failure(clients.error()));
                            json list = json::array();
                            for (const ClientRecord& client : *clients) {
                                if (client.product == call->product)
                                    list.push_back(client_json(client));
                            }
                            call->done(rest_reply({{"ok", true}, {"clients", list}}));
                        });
}

// Its secret is told once.
void Rest::create_client(const CallPtr& call) {
    std::array<std::uint8_t, kClientIdBytes> id{};
    const auto secret = draw_token();
    if (!secret || !config_.draw(id)) return call->done(rest_failure(Error::EntropyFailed));
    ClientRecord client{.id = "client-" + to_hex<std::string>(id),
                        .account = call->access.account,
                        .product = call->product,
                        .name = call->field("name"),
                        .type = call->field("type"),
                        .redirect_uri = call->field("redirect_uri"),
                        .scope = call->field("scope"),
                        .secret = config_.hash_token(*secret),
                        .created_at = config_.now()};
    if (client.type.empty()) client.type = "installed";
    if (auto refusal = check(client)) return call->done(*std::move(refusal));
    store_.add_client(client, [this, call, client, secret = *secret](const Status& added) {
        if (!added) return call->done(client_failure(added.error()));
        audit(*call, "client-create", client.id, "done");
        json body = client_json(client);
        body["secret"] = secret;
        json reply = body;
        reply["ok"] = true;
        reply["client"] = body;
        call->done(rest_reply(reply, 201));
    });
}

// Nothing here that is of another product, or of none.
template <class Function>
void Rest::find_client(const CallPtr& call, Function function) {
    store_.find_client(call->places[0], [call, function](const Result<ClientRecord>& client) {
        const bool is_own =
            client && client->account == call->access.account && client->product == call->product;
        if (!is_own) return call->done(client_failure(client ? Error::NotFound : client.error()));
        function(*client);
    });
}

void Rest::change_client(const CallPtr& call) {
    find_client(call, [this, call](ClientRecord client) {
        if (call->body.contains("name")) client.name = call->field("name");
        if (call->body.contains("scope")) client.scope = call->field("scope");
        if (auto refusal = check(client)) return call->done(*std::move(refusal));
        store_.update_client(client, [this, call, client](const Status& updated) {
            if (!updated) return call->done(client_failure(updated.error()));
            audit(*call, "client-change", client.id, "done");
            json body = client_json(client);
            body["ok"] = true;
            body["client"] = client_json(client);
            call->done(rest_reply(body));
        });
    });
}

// Tokens that it has live on; its user may revoke them.
void Rest::erase_client(const CallPtr& call) {
    find_client(call, [this, call](const ClientRecord& client) {
        store_.erase_client(
            call->access.account, client.id, [this, call, id = client.id](const Status& erased) {
                if (!erased) return call->done(client_failure(erased.error()));
                audit(*call, "client-delete", id, "done");
                call->done(Reply{.status = 204, .body = {}});
            });
    });
}

void Rest::list_libraries(const CallPtr& call) {
    call->done(rest_reply({{"data", json::array()}}));
}

void Rest::list_logic_functions(const CallPtr& call) {
    call->done(rest_reply({{"logic_functions", json::array()}}));
}

void Rest::list_secrets(const CallPtr& call) {
    call->done(rest_reply({{"secrets", json::array()}}));
}

}  // namespace sotto::cloud::http
