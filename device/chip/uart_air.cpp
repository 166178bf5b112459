// SPDX-License-Identifier: Apache-2.0
#include "device/chip/uart_air.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "core/base/hex.hpp"

namespace sotto::chip {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kInterval{1};  // between tries

std::string cannot_open(const std::string& path) {
    return path + " cannot be opened: " + std::generic_category().message(errno) +
           ". Check --uart, and that nothing else uses it";
}

Outcome<int> connect_socket(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return path + " is too long for a socket";
    std::copy(path.begin(), path.end(), address.sun_path);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return cannot_open(path);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
    const std::string why = cannot_open(path);
    ::close(fd);
    return why;
}

Outcome<int> open_port(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return cannot_open(path);
    termios settings{};
    if (::tcgetattr(fd, &settings) == 0) {
        ::cfmakeraw(&settings);
        ::cfsetspeed(&settings, B115200);
        settings.c_cflag |= CLOCAL | CREAD;
        if (::tcsetattr(fd, TCSANOW, &settings) == 0) return fd;
    }
    const std::string why = cannot_open(path);
    ::close(fd);
    return why;
}

Outcome<int> open_uart(const std::string& path) {
    struct stat about{};
    if (::stat(path.c_str(), &about) != 0) return cannot_open(path);
    return S_ISSOCK(about.st_mode) ? connect_socket(path) : open_port(path);
}

bool is_nobody(const framing::DeviceId& id) { return id == framing::DeviceId{}; }

}  // namespace

UartAir::UartAir(asio::io_context& loop, Setup setup)
    : loop_(loop), setup_(std::move(setup)), uart_(loop), timer_(loop) {}

Outcome<> UartAir::open() {
    SOTTO_TRY_ASSIGN(const int descriptor, open_uart(setup_.uart));
    error_code ignored;
    uart_.assign(descriptor, ignored);
    uart_.non_blocking(true, ignored);
    read();
    probe();
    return {};
}

void UartAir::wait_for_uart() {
    timer_.expires_after(kInterval);
    timer_.async_wait([this](error_code error) {
        if (!error && !open()) wait_for_uart();
    });
}

void UartAir::probe() {
    if (peripheral_ || !uart_.is_open()) return;
    queue_.push_back(0);  // the end of whatever was begun on the line
    send(framing::Subscribe{});
    timer_.expires_after(kInterval);
    timer_.async_wait([this](error_code error) {
        if (!error) probe();
    });
}

void UartAir::read() {
    uart_.async_read_some(asio::buffer(received_), [this](error_code error, std::size_t size) {
        if (error == asio::error::operation_aborted) return;
        if (error) return close("the UART is gone: " + error.message());
        Bytes input = Bytes{received_}.first(size);
        while (const auto operation = decoder_.next(input)) on_operation(*operation);
        read();
    });
}

void UartAir::on_operation(const framing::AirOperation& operation) {
    if (const auto* advertisement = std::get_if<framing::Advertisement>(&operation))
        return on_advertisement(*advertisement);
    const auto* notify = std::get_if<framing::Notify>(&operation);
    if (notify == nullptr || !peripheral_) return;
    const auto frame = reassembler_.receive(notify->value);
    // Without a central, or with a full queue, it is lost: whoever waits for it asks again.
    if (frame) (void)peripheral_->send(*frame).has_value();
}

void UartAir::on_advertisement(const framing::Advertisement& advertisement) {
    if (is_nobody(advertisement.device_id))
        return setup_.log("the chip does not work: " + std::string{advertisement.name});
    if (peripheral_) return peripheral_->set_has_owner(advertisement.has_owner);
    timer_.cancel();
    value_size_max_ = advertisement.value_size_max;
    const std::string id = to_hex<std::string>(advertisement.device_id);
    air::PeripheralHandler& handler = *this;
    peripheral_ = std::make_unique<air::VirtualPeripheral>(
        loop_,
        air::VirtualPeripheral::Options{.socket_path = setup_.folder + "/" + id + ".sock",
                                        .device_id = advertisement.device_id,
                                        .name = std::string{advertisement.name},
                                        .has_owner = advertisement.has_owner,
                                        .value_size_max = value_size_max_},
        handler);
    if (const auto opened = peripheral_->open(); !opened) {
        peripheral_.reset();
        return close(opened.error().detail);
    }
    setup_.log("chip " + id + " is on the air of " + setup_.folder);
}

void UartAir::on_connected() {
    reassembler_.reset();
    segmenter_ =
        framing::Segmenter{framing::agreed_value_size(value_size_max_, framing::kValueSizeMax)};
    send(framing::Subscribe{.value_size_max = framing::kValueSizeMax});
}

void UartAir::on_frame(Bytes frame) {
    if (queue_.size() > kQueueMax) return peripheral_->disconnect();
    if (!segmenter_.begin(frame)) return;
    std::array<std::uint8_t, framing::kValueSizeMax> value{};
    while (!segmenter_.is_idle()) send(framing::Write{segmenter_.next(value)});
}

void UartAir::send(const framing::AirOperation& operation) {
    std::array<std::uint8_t, framing::kAirBytesMax> bytes{};
    const auto encoded = framing::encode_air_operation(bytes, operation);
    SOTTO_ASSERT(encoded.has_value());
    queue_.insert(queue_.end(), encoded->begin(), encoded->end());
    write();
}

void UartAir::write() {
    if (!writing_.empty() || queue_.empty()) return;
    writing_.swap(queue_);
    asio::async_write(uart_, asio::buffer(writing_), [this](error_code error, std::size_t) {
        writing_.clear();
        if (error == asio::error::operation_aborted) return;
        if (error) return close("the UART is gone: " + error.message());
        write();
    });
}

void UartAir::close(const std::string& why) {
    if (!uart_.is_open()) return;
    setup_.log(why);
    error_code ignored;
    uart_.close(ignored);
    peripheral_.reset();
    queue_.clear();
    writing_.clear();
    decoder_ = framing::AirDecoder{code_};
    wait_for_uart();
}

}  // namespace sotto::chip
