// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/rest.hpp"

#include <utility>

#include "cloud/http/api.hpp"
#include "cloud/http/rest_replies.hpp"

namespace sotto::cloud::http {

namespace {

std::string_view path_of(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) {
    const std::size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

// Whether the segments are those of the pattern; fills in what stands for its places.
bool matches(std::string_view pattern,
             const std::vector<std::string>& segments,
             std::vector<std::string>& places) {
    places.clear();
    std::size_t i = 0;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(part.size());
        if (part.starts_with('*')) {
            std::string rest;
            for (; i < segments.size(); ++i) rest += (rest.empty() ? "" : "/") + segments[i];
            places.push_back(rest);
            return true;
        }
        if (i == segments.size()) return false;
        const std::string& segment = segments[i++];
        if (part.starts_with(':')) {
            places.push_back(segment);
        } else if (part != segment) {
            return false;
        }
    }
    return i == segments.size();
}

Reply nothing_at(const std::vector<std::string>& segments) {
    const bool is_of_org = segments.size() > 1 && segments[1] == "orgs";
    return rest_refusal(404,
                        "not_found",
                        is_of_org ? "This cloud has no organizations: leave --org away"
                                  : "There is nothing at this address");
}

const char* name_of(Method method) {
    constexpr const char* kNames[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "OTHER", "PATCH"};
    return kNames[static_cast<std::size_t>(method)];
}

}  // namespace

std::string Call::field(std::string_view name) const {
    if (const auto found = body.find(name); found != body.end()) return found->second;
    if (const auto found = query.find(name); found != query.end()) return found->second;
    return {};
}

bool Rest::is_for(std::string_view target) {
    const auto segments = segments_of(path_of(target));
    if (!segments || segments->empty()) return false;
    return segments->front() == "v1" || segments->front() == "oauth";
}

void Rest::handle(const Request& request, Done done) {
    const auto call = std::make_shared<Call>(Call{.request = request});
    call->done = [done = std::move(done)](Answer answer) {
        if (auto* reply = std::get_if<Reply>(&answer)) allow_other_origins(*reply);
        done(std::move(answer));
    };
    if (request.method == Method::Options) return call->done(Reply{.status = 204, .body = {}});
    if (!guard_.may_ask(request.address, config_.now()))
        return call->done(rest_refusal(429, "too_many_requests", "Too many requests; wait a bit"));
    route(call, path_of(request.target));
}

void Rest::route(const CallPtr& call, std::string_view path) {
    const auto segments = segments_of(path);
    const auto query = parse_form(query_of(call->request.target));
    if (!segments || !query)
        return call->done(rest_refusal(400, "invalid_request", "The address cannot be understood"));
    call->query = *query;
    std::string allow;
    for (const Route& route : routes()) {
        if (!matches(route.path, *segments, call->places)) continue;
        if (route.method == call->request.method) return authorize(call, route);
        allow += (allow.empty() ? "" : ", ") + std::string{name_of(route.method)};
    }
    for (const Absent& absent : Rest::absent()) {
        if (matches(absent.path, *segments, call->places))
            return call->done(rest_refusal(501, "not_implemented", absent.why));
    }
    if (allow.empty()) return call->done(nothing_at(*segments));
    Reply refusal = rest_refusal(405, "invalid_method", "This address does not take that method");
    refusal.allow = allow;
    call->done(std::move(refusal));
}

// False if it was answered here.
bool Rest::read_body(const CallPtr& call, const Route& route) {
    const auto refuse = [&call](unsigned status, const char* error, const char* why) {
        call->done(rest_refusal(status, error, why));
        return false;
    };
    const Request& request = call->request;
    if (route.file == nullptr || !is_multipart(request.content_type)) {
        auto body = parse_body(request.content_type, request.body);
        if (!body && body.error() == Error::Unsupported)
            return refuse(
                415, "unsupported_type", "Send a form (application/x-www-form-urlencoded) or JSON");
        if (!body) return refuse(400, "invalid_request", "The body cannot be understood");
        call->body = *std::move(body);
        return true;
    }
    auto parts = parse_multipart(request.content_type, request.body);
    if (!parts && parts.error() == Error::Truncated)
        return refuse(400, "incomplete_upload", kUploadStopped);
    if (!parts) return refuse(400, "invalid_request", "The parts of the body cannot be understood");
    for (Part& part : *parts) {
        if (part.is_file) {
            call->files.push_back(std::move(part));
        } else {
            call->body[part.name] = part.content;
        }
    }
    return true;
}

void Rest::authorize(const CallPtr& call, const Route& route) {
    if (!read_body(call, route)) return;
    if (route.scopes == kPublic) return (this->*route.handler)(call);
    with_access(call, route, [this, call, &route] { (this->*route.handler)(call); });
}

// Goes on if the token is good for the route.
void Rest::with_access(const CallPtr& call, const Route& route, std::function<void()> go_on) {
    std::string token{token_of(call->request.authorization)};
    if (token.empty() && call->request.authorization.empty()) token = call->field("access_token");
    if (token.empty())
        return call->done(rest_refusal(400, "invalid_request", "The access token was not found"));
    call->token = config_.hash_token(token);
    find_access(
        call, [this, call, &route, go_on = std::move(go_on)](const Result<model::Access>& access) {
            if (!access && access.error() == Error::NotFound)
                return call->done(
                    rest_refusal(401, "invalid_token", "The access token provided is invalid."));
            if (!access) return call->done(rest_failure(access.error()));
            if ((access->scopes & route.scopes) != route.scopes)
                return call->done(rest_refusal(403,
                                               "insufficient_scope",
                                               "Permission denied: what you signed in with is not "
                                               "good for this"));
            call->access = *access;
            if (!is_within_product(*call, route))
                return call->done(rest_refusal(403,
                                               "forbidden",
                                               "Permission denied: this is good for one product "
                                               "alone (/v1/products/PRODUCT/...)"));
            go_on();
        });
}

// What an API user asks for is in his product, or about his token.
bool Rest::is_within_product(const Call& call, const Route& route) const {
    if (call.access.product == 0 || route.scopes == 0) return true;
    if (!std::string_view{route.path}.starts_with("/v1/products/:product")) return false;
    const services::Product* const product =
        config_.fleet != nullptr ? config_.fleet->find(call.access.account, call.places.at(0))
                                 : nullptr;
    return product != nullptr && product->record.id.value() == call.access.product;
}

void Rest::find_access(const CallPtr& call,
                       std::function<void(const Result<model::Access>&)> done) {
    const Instant now = config_.now();
    if (const auto found = known_.find(call->token); found != known_.end()) {
        const model::Access& access = found->second.access;
        const bool is_good =
            found->second.until > now && (!access.expires_at || *access.expires_at > now);
        if (is_good) return done(model::Access{access});
        known_.erase(found);
    }
    store_.find_access(call->token,
                       now,
                       [this, now, token = call->token, done = std::move(done)](
                           const Result<model::Access>& found) {
                           if (found) {
                               if (known_.size() >= kKnownAccessMax) known_.clear();
                               known_.insert_or_assign(
                                   token,
                                   KnownAccess{.access = *found, .until = now + kAccessLife});
                           }
                           done(found);
                       });
}

void Rest::audit(const Call& call, const char* action, std::string subject, const char* outcome) {
    model::AuditEntry entry{.at = config_.now(),
                            .address = call.request.address,
                            .action = action,
                            .subject = std::move(subject),
                            .outcome = outcome};
    if (call.access.account != model::AccountId{}) entry.account = call.access.account;
    store_.add_audit(std::move(entry), [](const Status&) {});
}

const Rest::Route* Rest::find_route(const Request& head, std::vector<std::string>& places) {
    const auto segments = segments_of(path_of(head.target));
    if (!segments) return nullptr;
    for (const Route& route : routes())
        if (route.method == head.method && matches(route.path, *segments, places)) return &route;
    return nullptr;
}

bool Rest::is_upload(const Request& head) {
    if (!is_multipart(head.content_type) || !is_for(head.target)) return false;
    std::vector<std::string> places;
    const Route* const route = find_route(head, places);
    return route != nullptr && route->file != nullptr;
}

void Rest::begin_upload(const Request& head,
                        std::function<void(Result<model::AccountId, Reply>)> done) {
    const auto call = std::make_shared<Call>(Call{.request = head});
    call->done = [done](Answer answer) {
        Reply refusal = std::get<Reply>(std::move(answer));
        allow_other_origins(refusal);
        done(std::move(refusal));
    };
    call->query = parse_form(query_of(head.target)).value_or(Fields{});
    with_access(call, *find_route(head, call->places), [this, call, done] {
        const model::AccountId account = call->access.account;
        std::size_t& count = uploads_[account];
        if (upload_count_ >= kUploadsMax || count >= kUploadsPerAccountMax) {
            if (count == 0) uploads_.erase(account);
            return call->done(rest_refusal(
                503, "busy", "Too many files are being sent at the same time; try again"));
        }
        ++count;
        ++upload_count_;
        done(account);
    });
}

void Rest::end_upload(model::AccountId account) {
    --upload_count_;
    if (--uploads_[account] == 0) uploads_.erase(account);
}

bool Rest::begin_stream(model::AccountId account) {
    std::size_t& count = streams_[account];
    if (count >= kStreamsPerAccountMax) return false;
    ++count;
    return true;
}

void Rest::end_stream(model::AccountId account) {
    if (--streams_[account] == 0) streams_.erase(account);
}

}  // namespace sotto::cloud::http
