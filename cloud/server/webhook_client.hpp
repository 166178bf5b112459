// SPDX-License-Identifier: Apache-2.0
// Sends the requests of webhooks and takes what is answered: HTTP/1.1, in the clear or in TLS, on
// an event loop and thread of its own, so that whatever a target does it holds nobody up. Addresses
// are judged after the name was looked up, and the one that was judged is the one that is called.
// Redirects are not followed. Allocates; the calls do not block.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "cloud/hooks/dispatcher.hpp"
#include "cloud/server/name_lookups.hpp"
#include "cloud/server/webhook_networks.hpp"
#include "ports/tls/client_context.hpp"

namespace sotto::cloud::server {

class WebhookClient {
  public:
    struct Setup {
        WebhookNetworks networks{};
        // Runs a function on the owner's thread, later. Called from another one.
        std::function<void(std::function<void()>)> post{};
        std::function<void(hooks::JobId)> on_sent{};
        // Once for each request, kResponseTimeMax after it came at the latest.
        std::function<void(hooks::JobId, hooks::Answer)> on_answered{};
        NameLookups::LookUp look_up = server::look_up;
    };

    explicit WebhookClient(Setup setup);
    WebhookClient(const WebhookClient&) = delete;
    WebhookClient& operator=(const WebhookClient&) = delete;
    // What is under way ends unanswered.
    ~WebhookClient();

    void send(hooks::Send send);

  private:
    friend class WebhookExchange;

    // In the thread of the loop.
    const ports::TlsContext& tls_context();
    void tell_sent(hooks::JobId job);
    void tell_answer(hooks::JobId job, hooks::Answer answer);

    Setup setup_;
    boost::asio::io_context loop_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
        loop_.get_executor()};
    NameLookups names_;
    ports::TlsContext context_;  // made when it is needed first
    std::thread thread_;
};

}  // namespace sotto::cloud::server
