// SPDX-License-Identifier: Apache-2.0
// For tests: a target of webhooks, which does what the path of a request says.
#pragma once

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "cloud/server/clients_test.hpp"

namespace sotto::cloud::server {

// At every address of this machine. Answers /ok, redirects from /redirect, and so on; /hang answers
// nothing, /drip never ends.
class WebhookTarget {
  public:
    WebhookTarget() : acceptor_(loop_, Endpoint{boost::asio::ip::address_v4::any(), 0}) {
        thread_ = std::thread{[this] { serve(); }};
    }
    WebhookTarget(const WebhookTarget&) = delete;
    WebhookTarget& operator=(const WebhookTarget&) = delete;
    ~WebhookTarget() {
        is_stopping_ = true;
        Socket{loop_}.connect(acceptor_.local_endpoint());
        thread_.join();
        for (std::thread& thread : threads_) thread.join();
    }

    std::uint16_t port() { return acceptor_.local_endpoint().port(); }
    std::string place() { return "127.0.0.1:" + std::to_string(port()); }
    std::size_t count() {
        const std::scoped_lock lock{mutex_};
        return requests_.size();
    }
    // Head and body.
    std::vector<std::string> requests() {
        const std::scoped_lock lock{mutex_};
        return requests_;
    }

  private:
    using Socket = boost::asio::ip::tcp::socket;

    void serve() {
        while (true) {
            Socket socket{loop_};
            acceptor_.accept(socket);
            if (is_stopping_) return;
            threads_.emplace_back(
                [this, shared = std::make_shared<Socket>(std::move(socket))] { answer(*shared); });
        }
    }

    void answer(Socket& socket) {
        boost::system::error_code error;
        std::string text;
        const std::size_t head =
            boost::asio::read_until(socket, boost::asio::dynamic_buffer(text), "\r\n\r\n", error);
        if (error) return;
        constexpr std::string_view kLength = "Content-Length: ";
        if (const std::size_t at = text.find(kLength); at != std::string::npos) {
            const std::size_t size = head + std::stoul(text.substr(at + kLength.size()));
            while (!error && text.size() < size)
                boost::asio::read(socket,
                                  boost::asio::dynamic_buffer(text),
                                  boost::asio::transfer_exactly(size - text.size()),
                                  error);
        }
        {
            const std::scoped_lock lock{mutex_};
            requests_.push_back(text);
        }
        const std::string path = text.substr(0, text.find(" HTTP/"));
        if (path.ends_with("/hang")) return hold(socket, {});
        if (path.ends_with("/drip")) return hold(socket, "x");
        boost::asio::write(socket, boost::asio::buffer(reply_to(path)), error);
        socket.shutdown(Socket::shutdown_both, error);
    }

    // Until the other end goes away; says this again and again.
    void hold(Socket& socket, const std::string& again) {
        boost::system::error_code error;
        if (!again.empty())
            boost::asio::write(socket, boost::asio::buffer(std::string{"HTTP/1.1 200 OK\r\nX: "}));
        socket.non_blocking(true);
        while (!is_stopping_) {
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
            char byte = 0;
            socket.read_some(boost::asio::buffer(&byte, 1), error);
            if (error && error != boost::asio::error::would_block) return;
            if (!again.empty()) socket.write_some(boost::asio::buffer(again), error);
        }
    }

    static std::string reply_to(const std::string& path) {
        const auto whole = [](const std::string& status, const std::string& body) {
            return "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\n\r\n" + body;
        };
        if (path.ends_with("/redirect"))
            return "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n";
        if (path.ends_with("/big")) return whole("200 OK", std::string(102'401, 'x'));
        if (path.ends_with("/full")) return whole("200 OK", std::string(102'400, 'x'));
        if (path.ends_with("/heads"))
            return "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";
        if (path.ends_with("/garbage")) return "SSH-2.0-OpenSSH_9.2\r\n\r\n";
        if (path.ends_with("/gone")) return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
        if (path.ends_with("/fails")) return whole("500 No", "no");
        if (path.ends_with("/interim"))
            return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole("200 OK", "late");
        if (path.ends_with("/hints")) {
            std::string text;
            for (int i = 0; i < 20; ++i) text += "HTTP/1.1 103 Early Hints\r\n\r\n";
            return text;
        }
        if (path.ends_with("/open")) return "HTTP/1.1 200 OK\r\n\r\nuntil the end";
        return whole("200 OK", "ok");
    }

    boost::asio::io_context loop_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::atomic<bool> is_stopping_ = false;
    std::mutex mutex_;
    std::vector<std::string> requests_;
    std::list<std::thread> threads_;
    std::thread thread_;
};

}  // namespace sotto::cloud::server
