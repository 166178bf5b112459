// SPDX-License-Identifier: Apache-2.0
// Events: streams of them, and those that a user publishes.
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "cloud/http/rest.hpp"
#include "cloud/http/rest_replies.hpp"
#include "cloud/http/sse.hpp"

namespace sotto::cloud::http {

using nlohmann::json;

namespace {

constexpr std::uint32_t kTtl_s = 60;
constexpr std::uint32_t kTtlMax_s = 16'777'215;

bool is_event_name(std::string_view name) {
    if (name.empty() || name.size() > kEventNameSizeMax) return false;
    for (const char c : name) {
        if (c <= ' ' || c > '~') return false;
    }
    return !name.starts_with("spark/") && !name.starts_with("particle/");
}

std::uint32_t ttl_of(const std::string& text) {
    std::uint32_t ttl = kTtl_s;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ttl);
    if (error != std::errc{} || end != text.data() + text.size()) return kTtl_s;
    return std::min(ttl, kTtlMax_s);
}

}  // namespace

void Rest::open_stream(const CallPtr& call,
                       services::EventFilter filter,
                       std::size_t prefix_place) {
    if (!guard_.may_ask_for_token(call->request.address, config_.now()))
        return call->done(rest_refusal(429, "too_many_requests", "Too many requests; wait a bit"));
    filter.owner = call->access.account;
    filter.product = call->product.value();
    filter.prefix = call->places[prefix_place];
    const auto known = parse_event_id(call->request.last_event_id);
    const Call asked{.request = {}, .token = call->token};
    call->done(OpenStream{.filter = std::move(filter),
                          .after = known ? *known : ring_.last_id(),
                          .is_good = [this, asked](std::function<void(bool)> done) {
                              find_access(
                                  std::make_shared<Call>(asked),
                                  [done = std::move(done)](const Result<model::Access>& access) {
                                      // Only what was revoked ends a stream, and no trouble of the
                                      // store.
                                      done(access || access.error() != Error::NotFound);
                                  });
                          }});
}

void Rest::stream_all(const CallPtr& call) {
    open_stream(call, {.owner = call->access.account}, 0);
}

void Rest::publish(const CallPtr& call) {
    services::Publication what{.name = call->field("name"), .ttl_s = ttl_of(call->field("ttl"))};
    if (!is_event_name(what.name))
        return call->done(rest_refusal(400,
                                       "invalid_request",
                                       "An event has a name of 1 to 64 printable ASCII characters "
                                       "that does not begin with spark/ or particle/"));
    if (call->body.contains("data")) what.data = call->field("data");
    if (what.data && what.data->size() > kEventDataSizeMax)
        return call->done(
            rest_refusal(400, "invalid_request", "The data of an event has 1,024 bytes at most"));
    if (call->field("private") == "false") what.visibility = services::Visibility::Public;
    what.product = call->product.value();
    if (call->request.is_of_hook) what.cause = services::Cause::ByHook;
    devices_.publish(call->access.account, std::move(what));
    call->done(rest_reply({{"ok", true}}));
}

void Rest::get_openapi(const CallPtr& call) { call->done(Reply{.status = 200, .body = openapi()}); }

}  // namespace sotto::cloud::http
