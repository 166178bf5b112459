// SPDX-License-Identifier: Apache-2.0
// What a webhook is, as its owner defines it in JSON (docs/api/rest.md): which events it takes, and
// what it makes of them. Allocates; pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloud/hooks/mustache.hpp"
#include "cloud/model/accounts.hpp"
#include "cloud/services/open_device.hpp"

namespace sotto::cloud::hooks {

enum class Method : std::uint8_t { Get, Post, Put, Delete };
const char* name_of(Method method);

// A template that stands for a text, or for an object or array of JSON.
struct Template {
    std::string text{};  // or the JSON
    bool is_json = false;
};

// Where a URL leads, apart from its path.
struct Origin {
    bool is_tls = false;
    std::string host{};  // in lower case, without brackets
    std::uint16_t port = 0;
    std::string authority{};  // host and port, as in the URL
    friend bool operator==(const Origin&, const Origin&) = default;
};

struct Hook {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    enum class Body : std::uint8_t { Default, Form, Json, Raw };

    model::HookId id{};
    model::AccountId account{};
    Instant created_at{};
    Instant updated_at{};
    std::uint16_t product = 0;  // whose events it takes; 0: all of the account

    std::string name{};
    std::string event{};  // the beginning of the names that it takes
    std::optional<model::DeviceId> device{};
    bool is_disabled = false;
    Origin origin{};
    std::string url{};
    Method method = Method::Post;
    bool has_defaults = true;
    Pairs headers{};
    Pairs query{};
    Pairs form{};
    Body body = Body::Default;
    Template content{};                                          // of Json and Raw
    std::optional<std::pair<std::string, std::string>> login{};  // user, password
    bool has_checked_peer = true;                                // of TLS
    std::string response_topic{};                                // templates; empty: the usual
    std::string error_topic{};
    std::optional<Template> response_template{};
    bool is_unchunked = false;
    bool is_data_url = false;
};

// What stands for a secret where a hook is shown; given back, the secret stays as it was.
inline constexpr const char* kHidden = "********";

// What is known of an integration in JSON, by its usual names (eventName as event, deviceid as
// deviceID), and of `old` what it does not name. Whatever it says beside is left away.
nlohmann::json merge_definition(const nlohmann::json& given, const nlohmann::json& old);

// A whole definition. Complaints are for who wrote it.
Result<Hook, Complaint> parse_hook(const nlohmann::json& definition);

// The definition as it is told: with kHidden for the password and for what is in headers.
nlohmann::json show_definition(nlohmann::json definition);

// http and https with a host; in lower case, without what stands before an @.
Result<Origin, Complaint> origin_of(std::string_view url);

// What the cloud itself says in a request, so that no hook can.
bool is_own_header(std::string_view name);
// Says that a request is a hook's: what it makes a cloud publish triggers no hook.
inline constexpr const char* kMark = "Sotto-Webhook";

// Whether the hook takes this event. Never one that is about a hook, or that a hook's target made.
bool takes(const Hook& hook, const services::Event& event);

}  // namespace sotto::cloud::hooks
