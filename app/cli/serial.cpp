// SPDX-License-Identifier: Apache-2.0
#include "app/cli/serial.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace sotto::app {

Failure SerialLine::gone() const {
    return {Trouble::Unreachable, path_ + " is gone", "Connect the board again, and begin anew"};
}

Outcome<SerialLine> SerialLine::open(const std::string& path) {
    const auto refused = [&path](const std::string& why) {
        return Failure{Trouble::Usage,
                       path + ": " + why,
                       "Name the serial line of the board, as /dev/ttyUSB0, which no other program "
                       "uses and you may open"};
    };
    ports::File file{::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) return refused(std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
    termios settings{};
    if (::tcgetattr(file.descriptor(), &settings) != 0) return refused("this is no serial line");
    if (::ioctl(file.descriptor(), TIOCEXCL) != 0) return refused("another program uses it");
    ::cfmakeraw(&settings);
    settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
    settings.c_cflag |= CLOCAL | CREAD;
    ::cfsetspeed(&settings, B38400);
    if (::tcsetattr(file.descriptor(), TCSANOW, &settings) != 0)
        return refused("it takes no settings");
    ::tcflush(file.descriptor(), TCIOFLUSH);
    return SerialLine{std::move(file), path};
}

Outcome<> SerialLine::write(Bytes bytes) {
    while (!bytes.empty()) {
        pollfd ready{.fd = file_.descriptor(), .events = POLLOUT, .revents = 0};
        if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return gone();
        const ssize_t size = ::write(file_.descriptor(), bytes.data(), bytes.size());
        if (size < 0 && errno != EAGAIN && errno != EINTR) return gone();
        if (size > 0) bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return {};
}

Outcome<Bytes> SerialLine::read(MutBytes room, Duration limit) {
    pollfd ready{.fd = file_.descriptor(), .events = POLLIN, .revents = 0};
    const int count = ::poll(&ready, 1, static_cast<int>(limit.ms));
    if (count == 0 || (count < 0 && errno == EINTR)) return Bytes{};
    const ssize_t size = ::read(file_.descriptor(), room.data(), room.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Bytes{};
    if (size <= 0) return gone();
    return Bytes{room.first(static_cast<std::size_t>(size))};
}

}  // namespace sotto::app
