// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/admin_port.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "cloud/server/limits.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using boost::system::error_code;
using ports::Failure;
using ports::Outcome;

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The path of a GET; empty for anything else.
std::string_view path_of(std::string_view head) {
    constexpr std::string_view kGet = "GET ";
    if (!head.starts_with(kGet)) return {};
    head.remove_prefix(kGet.size());
    return head.substr(0, head.find(' '));
}

std::string text_of(const AdminReply& reply) {
    const char* reason = reply.status == 200 ? "OK" : reply.status == 404 ? "Not Found" : "Error";
    return "HTTP/1.1 " + std::to_string(reply.status) + " " + reason +
           "\r\nContent-Type: " + reply.type +
           "\r\nContent-Length: " + std::to_string(reply.body.size()) +
           "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" + reply.body;
}

// A path in the folder that fits into an address, however long the folder's is.
std::string short_path(const ports::File& folder) {
    return "/proc/self/fd/" + std::to_string(folder.descriptor()) + "/" + kAdminSocketName;
}

ports::File open_folder(const std::string& state) {
    return ports::File{::open(state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
}

Failure not_running(const std::string& state) {
    return {Error::NotFound,
            "no cloud runs in " + state + "; start it with: sotto-cloud run --state " + state};
}

}  // namespace

class AdminPort::Connection : public std::enable_shared_from_this<Connection> {
  public:
    using Socket = Listener::Socket;

    Connection(asio::io_context& loop,
               Socket socket,
               const AdminAnswer& answer,
               std::shared_ptr<std::size_t> count)
        : socket_(std::move(socket)), deadline_(loop), answer_(answer), count_(std::move(count)) {
        ++*count_;
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { --*count_; }

    void start() {
        deadline_.expires_after(kRequestTimeMax);
        deadline_.async_wait([weak = weak_from_this()](error_code cancelled) {
            error_code ignored;
            if (const auto self = weak.lock(); self && !cancelled) self->socket_.close(ignored);
        });
        asio::async_read_until(socket_,
                               asio::dynamic_buffer(text_, kHeaderSizeMax),
                               kHeadEnd,
                               [self = shared_from_this()](error_code error, std::size_t size) {
                                   if (!error) self->reply(size);
                               });
    }

  private:
    void reply(std::size_t size) {
        text_ = text_of(answer_(path_of(std::string_view{text_}.substr(0, size))));
        asio::async_write(socket_,
                          asio::buffer(text_),
                          [self = shared_from_this()](error_code, std::size_t /*size*/) {
                              error_code ignored;
                              self->socket_.shutdown(Socket::shutdown_both, ignored);
                          });
    }

    Socket socket_;
    asio::steady_timer deadline_;
    const AdminAnswer& answer_;
    std::shared_ptr<std::size_t> count_;
    std::string text_;
};

AdminPort::AdminPort(asio::io_context& loop, GenericAcceptor acceptor, AdminAnswer answer)
    : loop_(loop),
      door_(loop,
            std::move(acceptor),
            [this](Listener::Socket socket) { on_socket(std::move(socket)); }),
      answer_(std::move(answer)) {}

void AdminPort::on_socket(Listener::Socket socket) {
    if (*connection_count_ >= kAdminConnectionsMax) return;
    std::make_shared<Connection>(loop_, std::move(socket), answer_, connection_count_)->start();
}

Outcome<AdminPort::GenericAcceptor> listen_for_admin(asio::io_context& loop,
                                                     const std::string& state) {
    const ports::File folder = open_folder(state);
    ::unlinkat(folder.descriptor(), kAdminSocketName, 0);
    asio::basic_socket_acceptor<asio::local::stream_protocol, Executor> acceptor{loop};
    error_code error;
    acceptor.open({}, error);
    if (!error) acceptor.bind({short_path(folder)}, error);
    if (!error && ::chmod(short_path(folder).c_str(), 0600) != 0)
        error = {errno, boost::system::system_category()};
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return Failure{
            Error::StorageFailed,
            "cannot listen at " + state + "/" + kAdminSocketName + ": " + error.message()};
    return AdminPort::GenericAcceptor{std::move(acceptor)};
}

void remove_admin_socket(const std::string& state) {
    ::unlink((state + "/" + kAdminSocketName).c_str());
}

Outcome<std::string> ask_running_cloud(const std::string& state, const std::string& path) {
    const ports::File folder = open_folder(state);
    const ports::File socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    short_path(folder).copy(address.sun_path, sizeof address.sun_path - 1);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what the call wants
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    if (!folder.is_open() || ::connect(socket.descriptor(), name, sizeof address) != 0) {
        if (errno == EACCES || errno == EPERM)
            return Failure{
                Error::Refused,
                "this user may not reach the cloud in " + state + "; be the user that runs it"};
        return not_running(state);
    }
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: cloud\r\n\r\n";
    std::string reply;
    if (::send(socket.descriptor(), request.data(), request.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(request.size())) {
        char buffer[4'096];
        for (ssize_t size = 1; size > 0;) {
            size = ::recv(socket.descriptor(), buffer, sizeof buffer, 0);
            if (size > 0) reply.append(buffer, static_cast<std::size_t>(size));
        }
    }
    const std::size_t head = reply.find(kHeadEnd);
    if (!reply.starts_with("HTTP/1.1 200 ") || head == std::string::npos)
        return Failure{Error::StorageFailed,
                       "the cloud in " + state +
                           " does not answer; see its log, or stop it and "
                           "start it again"};
    return reply.substr(head + kHeadEnd.size());
}

}  // namespace sotto::cloud::server
