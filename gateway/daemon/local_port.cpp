// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/local_port.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "gateway/bluz/limits.hpp"

namespace sotto::gateway {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using asio::posix::stream_descriptor;
using boost::system::error_code;

namespace {

constexpr const char* kSuffix = ".unencrypted";
constexpr mode_t kMask = 0117;  // the sockets are for user and group

// A listening socket, or -1 and errno.
int listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    std::copy(path.begin(), path.end(), address.sun_path);
    const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0) return -1;
    const mode_t before = ::umask(kMask);
    const void* erased = &address;
    const bool is_bound =
        ::bind(listener, static_cast<const sockaddr*>(erased), sizeof address) == 0;
    ::umask(before);
    if (is_bound && ::listen(listener, static_cast<int>(bluz::kLocalAppsMax)) == 0) return listener;
    const int why = errno;
    ::close(listener);
    errno = why;
    return -1;
}

}  // namespace

// Lives until its last callback.
class LocalPort::App : public std::enable_shared_from_this<App> {
  public:
    App(asio::io_context& loop, int socket, Received& received)
        : descriptor_(loop, socket), received_(&received) {}

    void read() {
        descriptor_.async_wait(stream_descriptor::wait_read,
                               [self = shared_from_this()](error_code error) {
                                   if (!error && !self->has_ended()) self->on_readable();
                               });
    }
    void resume() {
        if (waiting_size_ > 0 && pass_on()) read();
    }
    void send(Bytes data) {
        // A full socket takes none: the packet is lost to this app.
        (void)::send(
            descriptor_.native_handle(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    void end() {
        received_ = nullptr;
        error_code ignored;
        descriptor_.close(ignored);
    }
    bool has_ended() const { return received_ == nullptr; }

  private:
    void on_readable() {
        const ssize_t size = ::recv(descriptor_.native_handle(),
                                    waiting_.data(),
                                    waiting_.size(),
                                    MSG_DONTWAIT | MSG_TRUNC);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return read();
        if (size <= 0 || static_cast<std::size_t>(size) > waiting_.size()) return end();
        waiting_size_ = static_cast<std::size_t>(size);
        if (pass_on()) read();
    }
    // False while the device takes no more; then nothing is read either.
    bool pass_on() {
        const std::size_t size = std::exchange(waiting_size_, 0);
        const Status status = (*received_)(Bytes{waiting_}.first(size));
        if (status || status.error() != Error::Busy) return true;
        waiting_size_ = size;
        return false;
    }

    stream_descriptor descriptor_;
    Received* received_;
    std::array<std::uint8_t, bluz::kLocalSizeMax> waiting_{};
    std::size_t waiting_size_ = 0;
};

LocalPort::LocalPort(asio::io_context& loop, Received received)
    : loop_(loop), received_(std::move(received)), listener_(loop), retry_(loop) {}

LocalPort::~LocalPort() {
    *is_alive_ = false;
    for (const auto& app : apps_) app->end();
    if (!path_.empty()) ::unlink(path_.c_str());
}

std::string LocalPort::open(const std::string& path) {
    const int listener = listen_at(path);
    if (listener < 0) return std::strerror(errno);
    path_ = path;
    listener_.assign(listener);
    accept();
    return {};
}

void LocalPort::accept() {
    listener_.async_wait(
        stream_descriptor::wait_read, [this, is_alive = is_alive_](error_code error) {
            if (error || !*is_alive) return;
            std::erase_if(apps_, [](const auto& app) { return app->has_ended(); });
            const int socket = ::accept4(
                listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (socket < 0 && errno != EAGAIN) return accept_later();
            if (socket >= 0 && apps_.size() >= bluz::kLocalAppsMax) {
                ::close(socket);
            } else if (socket >= 0) {
                apps_.push_back(std::make_shared<App>(loop_, socket, received_));
                apps_.back()->read();
            }
            accept();
        });
}

// Out of file descriptors, most likely.
void LocalPort::accept_later() {
    retry_.expires_after(std::chrono::milliseconds{100});
    retry_.async_wait([this, is_alive = is_alive_](error_code error) {
        if (!error && *is_alive) accept();
    });
}

void LocalPort::send(Bytes data) {
    for (const auto& app : apps_) {
        if (!app->has_ended()) app->send(data);
    }
}

void LocalPort::resume() {
    for (const auto& app : apps_) {
        if (!app->has_ended()) app->resume();
    }
}

std::string LocalPort::path_of(const std::string& folder, const std::string& device) {
    return folder + "/" + device + kSuffix;
}

void LocalPort::clear(const std::string& folder) {
    std::error_code error;
    std::vector<fs::path> stale;
    for (fs::directory_iterator it{folder, error}, end; !error && it != end; it.increment(error)) {
        std::error_code gone;
        if (it->path().extension() == kSuffix && it->is_socket(gone)) stale.push_back(it->path());
    }
    for (const fs::path& path : stale) fs::remove(path, error);
}

}  // namespace sotto::gateway
