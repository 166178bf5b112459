// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/status_port.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace sotto::gateway {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

constexpr mode_t kMask = 0117;  // for user and group
constexpr std::size_t kRequestSizeMax = 16;
constexpr std::size_t kVisitorsMax = 8;
constexpr std::chrono::seconds kVisitTimeMax{5};

std::string answer_to(std::string request, const Report& report) {
    while (!request.empty() && (request.back() == '\n' || request.back() == '\r'))
        request.pop_back();
    if (request == "json") return to_json(report);
    if (request == "metrics") return to_metrics(report);
    return to_words(report);
}

bool is_served(asio::io_context& loop, const stream_protocol::endpoint& endpoint) {
    stream_protocol::socket socket{loop};
    error_code error;
    socket.connect(endpoint, error);
    return !error;
}

}  // namespace

// Lives until its last callback.
class StatusPort::Visitor : public std::enable_shared_from_this<Visitor> {
  public:
    Visitor(stream_protocol::socket socket,
            std::function<Report()> status,
            std::shared_ptr<std::size_t> count)
        : socket_(std::move(socket)),
          timer_(socket_.get_executor()),
          status_(std::move(status)),
          count_(std::move(count)) {
        ++*count_;
    }
    ~Visitor() { --*count_; }
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;

    void start() {
        timer_.expires_after(kVisitTimeMax);
        timer_.async_wait([weak = weak_from_this()](error_code error) {
            error_code ignored;
            if (const auto self = weak.lock(); self && !error) self->socket_.close(ignored);
        });
        asio::async_read_until(socket_,
                               asio::dynamic_buffer(request_, kRequestSizeMax),
                               '\n',
                               [self = shared_from_this()](error_code error, std::size_t) {
                                   if (!error) self->answer();
                               });
    }

  private:
    void answer() {
        answer_ = answer_to(std::move(request_), status_());
        asio::async_write(socket_,
                          asio::buffer(answer_),
                          [self = shared_from_this()](error_code, std::size_t) {});
    }

    stream_protocol::socket socket_;
    asio::steady_timer timer_;
    std::function<Report()> status_;
    std::shared_ptr<std::size_t> count_;
    std::string request_;
    std::string answer_;
};

StatusPort::StatusPort(asio::io_context& loop, std::function<Report()> status)
    : loop_(loop), status_(std::move(status)), acceptor_(loop) {}

StatusPort::~StatusPort() {
    std::error_code ignored;
    if (acceptor_.is_open()) std::filesystem::remove(path_, ignored);
}

std::string StatusPort::open(const std::string& path) {
    stream_protocol::endpoint endpoint;
    if (path.size() > endpoint.capacity()) return "the path is too long for a socket";
    endpoint.path(path);
    std::error_code gone;
    if (std::filesystem::is_socket(path, gone)) {
        if (is_served(loop_, endpoint)) return "another gateway serves it";
        std::filesystem::remove(path, gone);
    }
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    const mode_t before = ::umask(kMask);
    if (!error) acceptor_.bind(endpoint, error);
    ::umask(before);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        error_code ignored;
        acceptor_.close(ignored);
        return error.message();
    }
    path_ = path;
    accept();
    return {};
}

void StatusPort::accept() {
    acceptor_.async_accept([this](error_code error, stream_protocol::socket socket) {
        if (error == asio::error::operation_aborted) return;
        if (!error && *visitor_count_ < kVisitorsMax)
            std::make_shared<Visitor>(std::move(socket), status_, visitor_count_)->start();
        accept();
    });
}

int show_status(const std::string& path, const std::string& form) {
    const auto fail = [&](const std::string& why) {
        std::cerr << "sotto-gateway: " << path << ": " << why
                  << ". Does it run, with this status-socket?" << std::endl;
        return 1;
    };
    asio::io_context loop{1};
    stream_protocol::socket socket{loop};
    stream_protocol::endpoint endpoint;
    if (path.size() > endpoint.capacity()) return fail("the path is too long for a socket");
    endpoint.path(path);
    error_code error;
    socket.connect(endpoint, error);
    if (error) return fail(error.message());
    asio::write(socket, asio::buffer(form + "\n"), error);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    if (answer.empty()) return fail("it does not answer");
    std::cout << answer << std::flush;
    return 0;
}

}  // namespace sotto::gateway
