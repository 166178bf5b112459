// SPDX-License-Identifier: Apache-2.0
// The right to serve a socket path: one living process at a time. Owns a lock file beside the path
// and removes the socket when it goes.
#pragma once

#include <string>

#include "air/failure.hpp"

namespace sotto::air {

class SocketPlace {
  public:
    // Locks the path and clears away what a dead process left there. Error::AlreadyExists if a
    // living one serves it, Error::NotFound without the folder, Error::InvalidArgument if the path
    // is too long, does not end with ".sock" or is something else than a socket.
    static Outcome<SocketPlace> claim(const std::string& path);

    SocketPlace(SocketPlace&& other) noexcept;
    SocketPlace& operator=(SocketPlace&& other) = delete;
    SocketPlace(const SocketPlace&) = delete;
    SocketPlace& operator=(const SocketPlace&) = delete;
    ~SocketPlace();

  private:
    SocketPlace(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

    std::string path_;
    int lock_;  // a file descriptor; its flock is the right
};

}  // namespace sotto::air
