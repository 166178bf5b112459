// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/hook.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::hooks {

using nlohmann::json;

namespace {

// Each with the other names that clients have for it.
struct Member {
    const char* name;
    std::array<const char*, 2> others{};
};
constexpr Member kMembers[] = {{"name"},
                               {"event", {"eventName"}},
                               {"url"},
                               {"requestType"},
                               {"deviceID", {"deviceid", "deviceId"}},
                               {"disabled"},
                               {"noDefaults"},
                               {"rejectUnauthorized"},
                               {"headers"},
                               {"query"},
                               {"form"},
                               {"json"},
                               {"body"},
                               {"auth"},
                               {"responseTopic"},
                               {"errorResponseTopic"},
                               {"responseTemplate"},
                               {"unchunked"},
                               {"dataUrlResponseEvent"}};

// What the client sends by itself, and what would make two requests of one.
constexpr std::string_view kOwnHeaders[] = {"host",
                                            "content-length",
                                            "transfer-encoding",
                                            "connection",
                                            "keep-alive",
                                            "upgrade",
                                            "te",
                                            "trailer",
                                            "expect",
                                            "proxy-authorization",
                                            "proxy-connection",
                                            "sotto-webhook"};

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

Complaint about(const std::string& member, const std::string& what) {
    return {member + ": " + what};
}

// What cannot stand in a name of an event or a line of a header.
bool has_controls(std::string_view text) {
    return std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

// The members of a definition, and what is wrong with them.
class Definition {
  public:
    explicit Definition(const json& definition) : all_(definition) {}

    const json* find(const char* name) const {
        const auto found = all_.find(name);
        return found == all_.end() || found->is_null() ? nullptr : &*found;
    }

    Result<std::string, Complaint> text(const char* name) const {
        const json* const value = find(name);
        if (value == nullptr) return std::string{};
        if (!value->is_string()) return about(name, "it must be a text");
        return value->get<std::string>();
    }

    Result<std::string, Complaint> text_template(const char* name) const {
        SOTTO_TRY_ASSIGN(std::string value, text(name));
        const auto checked = check_template(value);
        if (!checked) return about(name, checked.error().text);
        return value;
    }

    Result<bool, Complaint> truth(const char* name, bool otherwise) const {
        const json* const value = find(name);
        if (value == nullptr) return otherwise;
        if (value->is_boolean()) return value->get<bool>();
        if (*value == "true") return true;
        if (*value == "false") return false;
        return about(name, "it must be true or false");
    }

    // An object of texts, numbers and truths.
    Result<Hook::Pairs, Complaint> pairs(const char* name) const {
        Hook::Pairs pairs;
        const json* const value = find(name);
        if (value == nullptr) return pairs;
        if (!value->is_object()) return about(name, "it must be an object of names and values");
        if (value->size() > kPairsMax) return about(name, "there are more than 64 in it");
        const auto checked = check_json(*value);
        if (!checked) return about(name, checked.error().text);
        for (const auto& [key, part] : value->items())
            pairs.emplace_back(key, part.is_string() ? part.get<std::string>() : part.dump());
        return pairs;
    }

    // A text, object or array.
    Result<Template, Complaint> content(const char* name) const {
        const json& value = *find(name);
        const auto checked = check_json(value);
        if (!checked) return about(name, checked.error().text);
        if (value.is_string()) return Template{.text = value.get<std::string>()};
        return Template{.text = value.dump(), .is_json = true};
    }

  private:
    const json& all_;
};

Result<Method, Complaint> method_of(const std::string& text) {
    const std::string name = lower(text);
    if (name.empty() || name == "post") return Method::Post;
    if (name == "get") return Method::Get;
    if (name == "put") return Method::Put;
    if (name == "delete") return Method::Delete;
    return about("requestType", "it must be GET, POST, PUT or DELETE");
}

Result<std::string, Complaint> event_of(std::string event) {
    if (event.empty()) return about("event", "name the event, or what its name begins with");
    if (event.size() > kEventPrefixSizeMax || has_controls(event))
        return about("event", "it must have 1 to 64 characters that can be printed");
    for (const char* const begin : {"hook-sent", "hook-response", "hook-error"}) {
        if (event.starts_with(begin))
            return about("event", "what is told of webhooks cannot trigger webhooks");
    }
    return event;
}

Result<void, Complaint> check_headers(const Hook::Pairs& headers) {
    for (const auto& [name, value] : headers) {
        if (is_own_header(name)) return about("headers", name + " is set by the cloud itself");
        if (has_controls(name) || has_controls(value))
            return about("headers", "a line cannot be broken in one");
    }
    return {};
}

Result<void, Complaint> read_body(Hook& hook, const Definition& definition) {
    // Old templates have "json": true beside a form.
    const json* const object = definition.find("json");
    const bool has_json = object != nullptr && !object->is_boolean();
    const bool has_form = definition.find("form") != nullptr;
    const bool has_body = definition.find("body") != nullptr;
    if (has_json + has_form + has_body > 1)
        return Complaint{"only one of json, form and body can be there"};
    const bool has_no_body = hook.method == Method::Get || hook.method == Method::Delete;
    if (has_no_body && (has_json || has_body))
        return Complaint{std::string{name_of(hook.method)} +
                         " has no body: use query, or POST or PUT"};
    if (has_form) {
        hook.body = Hook::Body::Form;
        SOTTO_TRY_ASSIGN(hook.form, definition.pairs("form"));
    } else if (has_json) {
        hook.body = Hook::Body::Json;
        SOTTO_TRY_ASSIGN(hook.content, definition.content("json"));
    } else if (has_body) {
        hook.body = Hook::Body::Raw;
        SOTTO_TRY_ASSIGN(hook.content, definition.content("body"));
    }
    return {};
}

Result<void, Complaint> read_login(Hook& hook, const Definition& definition) {
    const json* const auth = definition.find("auth");
    if (auth == nullptr) return {};
    if (!auth->is_object()) return about("auth", "it must be an object: username, password");
    const Definition inner{*auth};
    SOTTO_TRY_ASSIGN(std::string user, inner.text_template("username"));
    SOTTO_TRY_ASSIGN(std::string password, inner.text_template("password"));
    hook.login.emplace(std::move(user), std::move(password));
    return {};
}

Result<void, Complaint> read_responses(Hook& hook, const Definition& definition) {
    SOTTO_TRY_ASSIGN(hook.response_topic, definition.text_template("responseTopic"));
    SOTTO_TRY_ASSIGN(hook.error_topic, definition.text_template("errorResponseTopic"));
    SOTTO_TRY_ASSIGN(hook.is_unchunked, definition.truth("unchunked", false));
    SOTTO_TRY_ASSIGN(hook.is_data_url, definition.truth("dataUrlResponseEvent", false));
    if (definition.find("responseTemplate") == nullptr) return {};
    SOTTO_TRY_ASSIGN(hook.response_template, definition.content("responseTemplate"));
    return {};
}

Result<void, Complaint> read_device(Hook& hook, const Definition& definition) {
    SOTTO_TRY_ASSIGN(const std::string device, definition.text("deviceID"));
    if (device.empty()) return {};
    if (!from_hex(lower(device), hook.device.emplace()))
        return about("deviceID", "it must be the 24 hexadecimal digits of a device");
    return {};
}

Result<void, Complaint> read_target(Hook& hook, const Definition& definition) {
    SOTTO_TRY_ASSIGN(hook.url, definition.text_template("url"));
    SOTTO_TRY_ASSIGN(hook.origin, origin_of(hook.url));
    SOTTO_TRY_ASSIGN(const std::string method, definition.text("requestType"));
    SOTTO_TRY_ASSIGN(hook.method, method_of(method));
    SOTTO_TRY_ASSIGN(hook.has_checked_peer, definition.truth("rejectUnauthorized", true));
    SOTTO_TRY_ASSIGN(const bool no_defaults, definition.truth("noDefaults", false));
    hook.has_defaults = !no_defaults;
    SOTTO_TRY_ASSIGN(hook.headers, definition.pairs("headers"));
    SOTTO_TRY(check_headers(hook.headers));
    SOTTO_TRY_ASSIGN(hook.query, definition.pairs("query"));
    return {};
}

bool is_shown_header(const std::string& name) {
    const std::string small = lower(name);
    return small == "content-type" || small == "accept";
}

// What is hidden in `given` is as it was.
void restore_hidden(json& given, const json& old) {
    if (!given.is_object() || !old.is_object()) return;
    for (auto& [name, value] : given.items()) {
        if (value == kHidden && old.contains(name)) value = old[name];
    }
}

}  // namespace

bool is_own_header(std::string_view name) {
    return std::ranges::find(kOwnHeaders, std::string_view{lower(name)}) != std::end(kOwnHeaders);
}

const char* name_of(Method method) {
    constexpr const char* kNames[] = {"GET", "POST", "PUT", "DELETE"};
    return kNames[static_cast<std::size_t>(method)];
}

json merge_definition(const json& given, const json& old) {
    json merged = json::object();
    for (const Member& member : kMembers) {
        const json* value = nullptr;
        if (given.contains(member.name)) value = &given[member.name];
        for (const char* const other : member.others) {
            if (value == nullptr && other != nullptr && given.contains(other))
                value = &given[other];
        }
        if (value != nullptr && !value->is_null()) {
            merged[member.name] = *value;
        } else if (value == nullptr && old.contains(member.name)) {
            merged[member.name] = old[member.name];
        }
    }
    for (const char* const name : {"headers", "auth"}) {
        if (merged.contains(name) && old.contains(name)) restore_hidden(merged[name], old[name]);
    }
    return merged;
}

json show_definition(json definition) {
    if (definition.contains("auth") && definition["auth"].contains("password"))
        definition["auth"]["password"] = kHidden;
    if (definition.contains("headers") && definition["headers"].is_object()) {
        for (auto& [name, value] : definition["headers"].items()) {
            if (!is_shown_header(name)) value = kHidden;
        }
    }
    return definition;
}

Result<Origin, Complaint> origin_of(std::string_view url) {
    if (url.empty() || url.size() > kUrlSizeMax || has_controls(url))
        return about("url", "it must have 1 to 2,048 characters that can be printed");
    Origin origin;
    const std::size_t mark = url.find("://");
    const std::string scheme = mark == std::string_view::npos ? "" : lower(url.substr(0, mark));
    if (scheme != "http" && scheme != "https")
        return about("url", "it must begin with http:// or https://");
    origin.is_tls = scheme == "https";
    url.remove_prefix(mark + 3);
    std::string_view authority = url.substr(0, url.find_first_of("/?#"));
    if (authority.find("{{") != std::string_view::npos)
        return about("url", "an event cannot say which host is called: write that in full");
    if (authority.find('@') != std::string_view::npos)
        return about("url", "user and password do not belong in it: use auth");
    origin.authority = lower(authority);
    const bool is_in_brackets = authority.starts_with('[');
    const std::size_t end = is_in_brackets ? authority.find(']') : authority.rfind(':');
    std::string_view host = authority.substr(0, end);
    std::string_view port;
    if (is_in_brackets) {
        if (end == std::string_view::npos) return about("url", "an address has no ] behind it");
        host.remove_prefix(1);
        port = authority.substr(end + 1);
    } else if (end != std::string_view::npos) {
        port = authority.substr(end);
    }
    origin.host = lower(host);
    while (origin.host.ends_with('.')) origin.host.pop_back();
    const bool is_name = std::ranges::all_of(origin.host, [is_in_brackets](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || (is_in_brackets && c == ':');
    });
    if (origin.host.empty() || origin.host.size() > 253 || !is_name)
        return about("url", "it names no host");
    origin.port = origin.is_tls ? 443 : 80;
    if (port.size() <= 1 && (port.empty() || port == ":")) return origin;
    const auto [last, error] =
        std::from_chars(port.data() + 1, port.data() + port.size(), origin.port);
    if (port.front() != ':' || error != std::errc{} || last != port.data() + port.size() ||
        origin.port == 0)
        return about("url", "its port is none");
    return origin;
}

Result<Hook, Complaint> parse_hook(const json& definition) {
    if (!definition.is_object()) return Complaint{"an integration is an object of JSON"};
    const Definition members{definition};
    Hook hook;
    SOTTO_TRY_ASSIGN(hook.name, members.text("name"));
    SOTTO_TRY_ASSIGN(std::string event, members.text("event"));
    SOTTO_TRY_ASSIGN(hook.event, event_of(std::move(event)));
    SOTTO_TRY_ASSIGN(hook.is_disabled, members.truth("disabled", false));
    SOTTO_TRY(read_device(hook, members));
    SOTTO_TRY(read_target(hook, members));
    SOTTO_TRY(read_body(hook, members));
    SOTTO_TRY(read_login(hook, members));
    SOTTO_TRY(read_responses(hook, members));
    return hook;
}

bool takes(const Hook& hook, const services::Event& event) {
    return !hook.is_disabled && event.owner == hook.account &&
           event.what.cause == services::Cause::Own && event.what.name.starts_with(hook.event) &&
           (!hook.device || hook.device == event.publisher) &&
           (hook.product == 0 || hook.product == event.what.product);
}

}  // namespace sotto::cloud::hooks
