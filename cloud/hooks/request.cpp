// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/request.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"
#include "cloud/services/text.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::hooks {

using nlohmann::json;
using services::Event;
using services::Publication;

namespace {

constexpr const char* kAgent = "ParticleBot/1.1 (https://docs.particle.io/webhooks)";
constexpr const char* kJsonType = "application/json";
constexpr const char* kFormType = "application/x-www-form-urlencoded";

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// RFC 3986 §2.3: what needs no escape anywhere.
bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

// RFC 9110 §5.6.2: a token.
bool is_fit_header_name(std::string_view name) {
    const bool is_token = !name.empty() && std::ranges::all_of(name, [](char c) {
        return is_unreserved(c) ||
               std::string_view{"!#$%&'*+^`|"}.find(c) != std::string_view::npos;
    });
    return is_token && !is_own_header(name);
}

// RFC 9110 §5.5: nothing that would end the line, or begin another header.
bool is_fit_header_value(std::string_view value) {
    return std::ranges::none_of(value, [](char c) {
        return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
    });
}

void put_escaped(std::string& out, char c) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto byte = static_cast<std::uint8_t>(c);
    out += '%';
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
}

std::string encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            put_escaped(out, c);
        }
    }
    return out;
}

std::string to_form(const Hook::Pairs& pairs) {
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (!out.empty()) out += '&';
        out += encode(name) + "=" + encode(value);
    }
    return out;
}

// The path and query of a URL, where what may not stand in one is escaped.
std::string target_of(std::string_view url) {
    url.remove_prefix(std::min(url.find("://") + 3, url.size()));
    url.remove_prefix(std::min(url.find_first_of("/?#"), url.size()));
    url = url.substr(0, url.find('#'));
    std::string out;
    if (!url.starts_with('/')) out = "/";
    for (const char c : url) {
        const bool is_fit = c > ' ' && c <= '~' &&
                            std::string_view{"\"<>\\^`{|}"}.find(c) == std::string_view::npos;
        if (is_fit) {
            out += c;
        } else {
            put_escaped(out, c);
        }
    }
    return out;
}

std::string publisher_of(const Event& event) {
    return event.publisher ? to_hex<std::string>(*event.publisher) : "api";
}

// What its templates know of an event: the members of its data, and over them what every event has.
json variables_of(const Event& event, const Product& product) {
    const std::string value = event.what.data.value_or(std::string{});
    const std::string at = services::to_iso(event.published_at.ms);
    json variables = parse_data(value);
    if (!variables.is_object()) variables = json::object();
    const json whole{{"name", event.what.name},
                     {"data", value},
                     {"ttl", event.what.ttl_s},
                     {"published_at", at},
                     {"coreid", publisher_of(event)}};
    const std::string text = dump(whole);
    const std::string id = std::to_string(event.id);
    for (const auto& [name, what] : {std::pair{"PARTICLE_DEVICE_ID", publisher_of(event)},
                                     {"PARTICLE_EVENT_NAME", event.what.name},
                                     {"PARTICLE_EVENT_VALUE", value},
                                     {"PARTICLE_PUBLISHED_AT", at},
                                     {"PARTICLE_EVENT_ID", id},
                                     {"PARTICLE_EVENT_JSON", text},
                                     {"PARTICLE_EVENT_BASE64", services::base64_encode(text)},
                                     {"PRODUCT_ID", std::to_string(product.id)},
                                     {"PRODUCT_VERSION", std::to_string(product.version)},
                                     {"PRODUCT_USER_ID", std::to_string(event.owner.value())},
                                     // What they were called before.
                                     {"SPARK_CORE_ID", publisher_of(event)},
                                     {"SPARK_EVENT_NAME", event.what.name},
                                     {"SPARK_EVENT_VALUE", value},
                                     {"SPARK_PUBLISHED_AT", at}})
        variables[name] = what;
    return variables;
}

Hook::Pairs defaults_of(const Event& event) {
    return {{"event", event.what.name},
            {"data", event.what.data.value_or(std::string{})},
            {"published_at", services::to_iso(event.published_at.ms)},
            {"coreid", publisher_of(event)}};
}

// What the user names takes the place of what would be there anyway.
Hook::Pairs over(Hook::Pairs defaults, Hook::Pairs given) {
    std::erase_if(defaults, [&given](const auto& entry) {
        return std::ranges::any_of(given,
                                   [&](const auto& other) { return other.first == entry.first; });
    });
    defaults.insert(defaults.end(),
                    std::make_move_iterator(given.begin()),
                    std::make_move_iterator(given.end()));
    return defaults;
}

// Builds one request, whose templates may make so much text in all.
class Builder {
  public:
    Builder(const Hook& hook, const Event& event, const Product& product)
        : hook_(hook), event_(event), variables_(variables_of(event, product)) {}

    Result<WebRequest, Complaint> build() {
        request_.method = hook_.method;
        request_.origin = hook_.origin;
        request_.has_checked_peer = hook_.has_checked_peer;
        SOTTO_TRY_ASSIGN(const std::string url, fill(hook_.url));
        request_.target = target_of(url);
        SOTTO_TRY_ASSIGN(const Hook::Pairs query, fill(hook_.query));
        SOTTO_TRY_ASSIGN(Hook::Pairs form, fill(hook_.form));
        if (hook_.has_defaults && !has_body()) form = over(defaults_of(event_), std::move(form));
        add_to_target(has_body() ? query : over(std::move(form), query));
        add_header("User-Agent", kAgent);
        add_header(kMark, "1");
        if (has_body()) SOTTO_TRY(add_body(std::move(form)));
        SOTTO_TRY(add_headers());
        return std::move(request_);
    }

  private:
    bool has_body() const { return hook_.method == Method::Post || hook_.method == Method::Put; }

    Result<std::string, Complaint> fill(std::string_view text) {
        auto made = render(text, variables_, size_left_);
        if (made) size_left_ -= made->size();
        return made;
    }
    Result<Hook::Pairs, Complaint> fill(const Hook::Pairs& pairs) {
        Hook::Pairs made;
        for (const auto& [name, value] : pairs) {
            SOTTO_TRY_ASSIGN(std::string key, fill(name));
            SOTTO_TRY_ASSIGN(std::string text, fill(value));
            made.emplace_back(std::move(key), std::move(text));
        }
        return made;
    }

    void add_to_target(const Hook::Pairs& query) {
        if (query.empty()) return;
        request_.target += request_.target.find('?') == std::string::npos ? '?' : '&';
        request_.target += to_form(query);
    }

    void add_header(const std::string& name, std::string value) {
        const auto is_it = [&name](const auto& header) {
            return std::ranges::equal(header.first, name, [](char a, char b) {
                return std::tolower(static_cast<unsigned char>(a)) ==
                       std::tolower(static_cast<unsigned char>(b));
            });
        };
        std::erase_if(request_.headers, is_it);
        request_.headers.emplace_back(name, std::move(value));
    }

    Result<void, Complaint> add_body(Hook::Pairs form) {
        switch (hook_.body) {
            case Hook::Body::Default:
            case Hook::Body::Form:
                if (hook_.has_defaults) form = over(defaults_of(event_), std::move(form));
                request_.body = to_form(form);
                if (!form.empty()) add_header("Content-Type", kFormType);
                return {};
            case Hook::Body::Json:
                return add_json();
            case Hook::Body::Raw:
                return add_raw();
        }
        return {};
    }

    Result<json, Complaint> fill_json() {
        if (hook_.content.is_json)
            return render_json(json::parse(hook_.content.text), variables_, size_left_);
        SOTTO_TRY_ASSIGN(const std::string text, fill(hook_.content.text));
        json value = parse_data(text);
        if (value.is_null()) return Complaint{"what comes out of the template of json is no JSON"};
        return value;
    }

    Result<void, Complaint> add_json() {
        SOTTO_TRY_ASSIGN(json value, fill_json());
        if (hook_.has_defaults && value.is_object()) {
            for (const auto& [name, text] : defaults_of(event_)) {
                if (!value.contains(name)) value[name] = text;
            }
        }
        request_.body = dump(value);
        add_header("Accept", kJsonType);
        add_header("Content-Type", kJsonType);
        return {};
    }

    Result<void, Complaint> add_raw() {
        if (hook_.content.is_json) {
            SOTTO_TRY_ASSIGN(const json value, fill_json());
            request_.body = dump(value);
            return {};
        }
        SOTTO_TRY_ASSIGN(request_.body, fill(hook_.content.text));
        return {};
    }

    Result<void, Complaint> add_headers() {
        if (hook_.login) {
            SOTTO_TRY_ASSIGN(const std::string user, fill(hook_.login->first));
            SOTTO_TRY_ASSIGN(const std::string password, fill(hook_.login->second));
            add_header("Authorization", "Basic " + services::base64_encode(user + ":" + password));
        }
        SOTTO_TRY_ASSIGN(const Hook::Pairs headers, fill(hook_.headers));
        for (const auto& [name, value] : headers) {
            if (!is_fit_header_name(name) || !is_fit_header_value(value))
                return Complaint{"headers: the event makes a header of it that is none"};
            add_header(name, value);
        }
        return {};
    }

    const Hook& hook_;
    const Event& event_;
    json variables_;
    std::size_t size_left_ = kRequestSizeMax;
    WebRequest request_;
};

// The name of an event about a hook: one of the cloud's own cannot be made by a template.
std::string topic_of(const std::string& wanted, const json& variables, const std::string& usual) {
    if (wanted.empty()) return usual;
    const auto made = render(wanted, variables, kTopicSizeMax);
    if (!made || made->empty() || made->starts_with("spark/") || made->starts_with("particle/"))
        return usual;
    return *made;
}

Publication publication(std::string name, std::optional<std::string> data) {
    return {.name = std::move(name), .data = std::move(data), .cause = services::Cause::OfHook};
}

Result<std::string, Complaint> text_of(const Hook& hook, const WebResponse& response) {
    if (hook.is_data_url) {
        const std::string type = response.type.empty() ? "application/octet-stream" : response.type;
        return "data:" + type + ";base64," + services::base64_encode(response.body);
    }
    if (!hook.response_template) return response.body;
    const json data = parse_data(response.body);
    if (!hook.response_template->is_json)
        return render(hook.response_template->text, data, kResponseSizeMax);
    SOTTO_TRY_ASSIGN(
        const json value,
        render_json(json::parse(hook.response_template->text), data, kResponseSizeMax));
    return dump(value);
}

// What events are called that tell of a hook, if it says nothing else. Of a product's hooks they
// begin with the device, so that each of its devices hears what is for it.
std::string usual_topic(const Hook& hook, const Event& event, const char* kind) {
    std::string topic;
    if (hook.product != 0 && event.publisher) topic = to_hex<std::string>(*event.publisher) + "/";
    return topic + kind + event.what.name;
}

}  // namespace

Result<WebRequest, Complaint> build_request(const Hook& hook,
                                            const Event& event,
                                            const Product& product) {
    return Builder{hook, event, product}.build();
}

Result<std::vector<Publication>, Complaint> response_events(const Hook& hook,
                                                            const Event& event,
                                                            const Product& product,
                                                            const WebResponse& response) {
    SOTTO_TRY_ASSIGN(const std::string text, text_of(hook, response));
    const std::string topic = topic_of(hook.response_topic,
                                       variables_of(event, product),
                                       usual_topic(hook, event, "hook-response/"));
    const std::size_t size_max = hook.is_unchunked ? kResponseSizeMax * 2 : kResponsePartSize;
    std::vector<Publication> events;
    std::size_t at = 0;
    do {
        events.push_back(
            publication(topic + "/" + std::to_string(events.size()), text.substr(at, size_max)));
        at += size_max;
    } while (at < text.size());
    return events;
}

Publication sent_event(const Event& event) {
    return publication("hook-sent/" + event.what.name, std::nullopt);
}

Publication error_event(const Hook& hook,
                        const Event& event,
                        const Product& product,
                        const std::string& text) {
    const std::string topic = topic_of(
        hook.error_topic, variables_of(event, product), usual_topic(hook, event, "hook-error/"));
    return publication(topic + "/0", text);
}

}  // namespace sotto::cloud::hooks
