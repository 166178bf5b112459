// SPDX-License-Identifier: Apache-2.0
#include "tests/integration/tap.hpp"

#include <functional>
#include <mutex>
#include <thread>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

namespace sotto::integration {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using Stream = asio::generic::stream_protocol;
using boost::system::error_code;

constexpr auto kPause = std::chrono::milliseconds(300);

Stream::endpoint tcp_endpoint(const std::string& address) {
    const auto colon = address.rfind(':');
    return tcp::endpoint{asio::ip::make_address(address.substr(0, colon)),
                         static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)))};
}

void send(const Stream::endpoint& to, const Recording& bytes) {
    asio::io_context loop;
    Stream::socket socket{loop};
    error_code error;
    socket.connect(to, error);
    if (!error) asio::write(socket, asio::buffer(bytes), error);
    std::this_thread::sleep_for(kPause);  // what is judged is that nothing follows from it
}

// One connection and where it goes on.
class Pair : public std::enable_shared_from_this<Pair> {
  public:
    using Record = std::function<void(bool is_from_client, const unsigned char*, std::size_t)>;
    Pair(Stream::socket client, Stream::socket server, Record record)
        : ends_{End{std::move(client)}, End{std::move(server)}}, record_(std::move(record)) {}
    void start() {
        read(0);
        read(1);
    }

  private:
    struct End {
        Stream::socket socket;
        std::array<unsigned char, 16'384> buffer{};
    };
    void read(std::size_t from) {
        ends_[from].socket.async_read_some(
            asio::buffer(ends_[from].buffer),
            [self = shared_from_this(), from](error_code error, std::size_t size) {
                if (error) return self->close();
                self->pass(from, size);
            });
    }
    void pass(std::size_t from, std::size_t size) {
        record_(from == 0, ends_[from].buffer.data(), size);
        asio::async_write(ends_[1 - from].socket,
                          asio::buffer(ends_[from].buffer.data(), size),
                          [self = shared_from_this(), from](error_code error, std::size_t) {
                              if (error) return self->close();
                              self->read(from);
                          });
    }
    void close() {
        error_code ignored;
        for (End& end : ends_) end.socket.close(ignored);
    }

    std::array<End, 2> ends_;
    Record record_;
};

}  // namespace

class Tap::Core {
  public:
    template <class Acceptor>
    void start(std::shared_ptr<Acceptor> acceptor, std::string address) {
        address_ = std::move(address);
        accept(acceptor);
        thread_ = std::thread{[this] { loop_.run(); }};
    }
    ~Core() {
        loop_.stop();
        thread_.join();
    }
    void lead_to(Stream::endpoint target) {
        const std::lock_guard lock{mutex_};
        target_ = std::move(target);
    }
    Recording recording(bool is_from_client) const {
        const std::lock_guard lock{mutex_};
        return is_from_client ? from_client_ : from_server_;
    }
    const std::string& address() const { return address_; }
    asio::io_context& loop() { return loop_; }

  private:
    template <class Acceptor>
    void accept(std::shared_ptr<Acceptor> acceptor) {
        acceptor->async_accept([this, acceptor](error_code error, auto client) {
            if (!error) lead_on(Stream::socket{std::move(client)});
            if (error != asio::error::operation_aborted) accept(acceptor);
        });
    }
    void lead_on(Stream::socket client) {
        Stream::socket server{loop_};
        error_code error;
        server.connect(target(), error);
        if (error) return;  // and so the client is hung up on
        std::make_shared<Pair>(std::move(client),
                               std::move(server),
                               [this](bool is_from_client, const unsigned char* data, auto size) {
                                   const std::lock_guard lock{mutex_};
                                   Recording& to = is_from_client ? from_client_ : from_server_;
                                   to.insert(to.end(), data, data + size);
                               })
            ->start();
    }
    Stream::endpoint target() const {
        const std::lock_guard lock{mutex_};
        return target_;
    }

    asio::io_context loop_;
    std::string address_;
    mutable std::mutex mutex_;
    Stream::endpoint target_;
    Recording from_client_;
    Recording from_server_;
    std::thread thread_;
};

Tap::Tap(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Tap::~Tap() = default;

std::unique_ptr<Tap> Tap::on_tcp() {
    auto core = std::make_unique<Core>();
    auto acceptor = std::make_shared<tcp::acceptor>(
        core->loop(), tcp::endpoint{asio::ip::address_v4::loopback(), 0});
    const std::string address = "127.0.0.1:" + std::to_string(acceptor->local_endpoint().port());
    core->start(acceptor, address);
    return std::unique_ptr<Tap>{new Tap{std::move(core)}};
}

std::unique_ptr<Tap> Tap::on_unix(const std::string& path) {
    auto core = std::make_unique<Core>();
    core->start(std::make_shared<Local::acceptor>(core->loop(), Local::endpoint{path}), path);
    return std::unique_ptr<Tap>{new Tap{std::move(core)}};
}

void Tap::lead_to_tcp(const std::string& address) { core_->lead_to(tcp_endpoint(address)); }
void Tap::lead_to_unix(const std::string& path) { core_->lead_to(Local::endpoint{path}); }
const std::string& Tap::address() const { return core_->address(); }
Recording Tap::from_client() const { return core_->recording(true); }
Recording Tap::from_server() const { return core_->recording(false); }

void send_to_tcp(const std::string& address, const Recording& bytes) {
    send(tcp_endpoint(address), bytes);
}
void send_to_unix(const std::string& path, const Recording& bytes) {
    send(Local::endpoint{path}, bytes);
}

}  // namespace sotto::integration
