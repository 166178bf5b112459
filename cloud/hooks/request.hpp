// SPDX-License-Identifier: Apache-2.0
// From a hook and an event to the request that its target gets, and from what the target answers to
// the events that tell of it (docs/api/rest.md). Allocates; pure.
#pragma once

#include <string>
#include <vector>

#include "cloud/hooks/hook.hpp"

namespace sotto::cloud::hooks {

// What is known of the device that an event came from.
struct Product {
    std::uint16_t id = 0;
    std::uint16_t version = 0;
};

struct WebRequest {
    Method method = Method::Post;
    Origin origin{};
    bool has_checked_peer = true;
    std::string target{};  // path and query
    Hook::Pairs headers{};
    std::string body{};
};

struct WebResponse {
    unsigned status = 0;
    std::string type{};  // Content-Type
    std::string body{};
};

Result<WebRequest, Complaint> build_request(const Hook& hook,
                                            const services::Event& event,
                                            const Product& product);

// Of a response that is well (2xx): its parts as events.
Result<std::vector<services::Publication>, Complaint> response_events(const Hook& hook,
                                                                      const services::Event& event,
                                                                      const Product& product,
                                                                      const WebResponse& response);
services::Publication sent_event(const services::Event& event);
services::Publication error_event(const Hook& hook,
                                  const services::Event& event,
                                  const Product& product,
                                  const std::string& text);

}  // namespace sotto::cloud::hooks
