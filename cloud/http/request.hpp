// SPDX-License-Identifier: Apache-2.0
// A request as it came, and what it is answered. Plain data.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cloud/model/ids.hpp"
#include "cloud/services/event_ring.hpp"

namespace sotto::cloud::http {

enum class Method : std::uint8_t { Get, Post, Put, Delete, Options, Other, Patch };

struct Request {
    Method method = Method::Get;
    std::string target;
    std::string authorization{};  // the header's value; empty without one
    bool is_upgrade = false;      // to a WebSocket
    std::string content_type{};
    std::string body{};
    std::string last_event_id{};
    std::string address{};    // of who asks, without the port
    bool is_of_hook = false;  // what a webhook sends, of this cloud or of another one
};

struct Reply {
    unsigned status = 200;
    std::string body;       // of `type`
    std::string allow{};    // the methods there are, with status 405
    std::string upgrade{};  // what to speak instead, with status 426
    std::string type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers{};  // further ones
};

// The request may become a channel of this app.
struct OpenChannel {
    model::AppAddress app;
};

// The request becomes a stream of events.
struct OpenStream {
    services::EventFilter filter;
    std::uint64_t after = 0;  // the id of the last event that the reader knows
    // Asks whether the reader's token is still good.
    std::function<void(std::function<void(bool)>)> is_good;
};

using Answer = std::variant<Reply, OpenChannel, OpenStream>;
using Done = std::function<void(Answer)>;

}  // namespace sotto::cloud::http
