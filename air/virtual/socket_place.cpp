// SPDX-License-Identifier: Apache-2.0
#include "air/virtual/socket_place.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace sotto::air {

namespace {

std::string system_text(int error) {
    return std::strerror(error);
}  // NOLINT(concurrency-mt-unsafe)

Outcome<> check_path(const std::string& path) {
    if (!path.ends_with(".sock"))
        return Failure{Error::InvalidArgument, path + ": the path of a device must end with .sock"};
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return Failure{Error::InvalidArgument,
                       path + ": too long for a socket (at most " +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                           " bytes); use a shorter folder"};
    return {};
}

// Whether somebody accepts connections there.
bool is_served(const std::string& path) {
    const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) return false;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    const int result = ::connect(probe, generic, sizeof(address));
    const int error = errno;
    ::close(probe);
    return result == 0 || error == EAGAIN;  // EAGAIN: its backlog is full
}

Failure served(const std::string& path) {
    return {Error::AlreadyExists,
            path + ": another process serves this device; stop it or choose another path"};
}

// Removes a socket that nobody serves; anything else at the path is left alone.
Outcome<> clear_stale(const std::string& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
        if (errno == ENOENT) return {};
        return Failure{Error::NotFound, path + ": " + system_text(errno)};
    }
    if (!S_ISSOCK(info.st_mode))
        return Failure{Error::InvalidArgument, path + ": exists and is not a socket; not touched"};
    if (is_served(path)) return served(path);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return Failure{Error::StorageFailed, path + ": cannot be replaced: " + system_text(errno)};
    return {};
}

}  // namespace

Outcome<SocketPlace> SocketPlace::claim(const std::string& path) {
    SOTTO_TRY(check_path(path));
    const std::string lock_path = path + ".lock";
    const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 && (errno == ENOENT || errno == ENOTDIR))
        return Failure{Error::NotFound, path + ": the folder does not exist; create it first"};
    if (lock < 0) return Failure{Error::StorageFailed, lock_path + ": " + system_text(errno)};
    SocketPlace place{path, lock};
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        place.path_.clear();  // not ours to remove
        return served(path);
    }
    if (auto cleared = clear_stale(path); !cleared) {
        place.path_.clear();
        return cleared.error();
    }
    return place;
}

SocketPlace::SocketPlace(SocketPlace&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::exchange(other.lock_, -1)) {}

SocketPlace::~SocketPlace() {
    if (!path_.empty()) ::unlink(path_.c_str());
    if (lock_ >= 0) ::close(lock_);
}

}  // namespace sotto::air
