// SPDX-License-Identifier: Apache-2.0
// The strict device as a process, for tests with real clients: sotto-legacy-device HOST PORT
// SERVER_KEY.der ID KEY.der [bluz|0.6|6]. KEY.der is made if it is not there, and its public half
// beside it as KEY.der.pub.pem; with "-" for HOST that is all. Standard input takes lines: `publish
// NAME DATA`, `subscribe PREFIX`; at its end the device goes. Standard output says what happens. It
// connects again when it was cut off.
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netdb.h>
#include <poll.h>
#include <sstream>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "core/base/hex.hpp"
#include "testing/particle/legacy_device.hpp"

namespace {

using namespace sotto::testing;  // NOLINT(google-build-using-namespace)
using sotto::Bytes;

struct Place {
    std::string host;
    std::string port;
};

std::vector<std::uint8_t> read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

LegacyKey load_or_make_key(const std::string& path) {
    const auto known = read_file(path);
    LegacyKey key = known.empty() ? LegacyKey::generate() : LegacyKey::from(known);
    if (known.empty()) {
        const auto der = key.private_der();
        std::ofstream{path, std::ios::binary} << sotto::as_text(der);
        std::ofstream{path + ".pub.pem"} << key.public_pem();
    }
    return key;
}

int connect_to(const Place& place) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(place.host.c_str(), place.port.c_str(), &hints, &found) != 0) return -1;
    const int socket = ::socket(found->ai_family, SOCK_STREAM, 0);
    const bool is_connected = ::connect(socket, found->ai_addr, found->ai_addrlen) == 0;
    ::freeaddrinfo(found);
    if (is_connected) return socket;
    ::close(socket);
    return -1;
}

// The functions and variables of every such device.
void furnish(LegacyDevice& device) {
    device.functions["brew"] = [](const std::string& argument) {
        std::cout << "called brew " << argument << std::endl;
        return argument == "coffee" ? 1 : -1;
    };
    device.functions["led"] = [](const std::string& argument) {
        std::cout << "called led " << argument << std::endl;
        return static_cast<std::int32_t>(argument.size());
    };
    device.variables["temp"] = {2, std::string("\0\0\0\x15", 4)};
    device.variables["name"] = {4, "lamp"};
    device.variables["volt"] = {9, std::string("\0\0\0\0\0\0\x0a\x40", 8)};
    device.variables["on"] = {1, "\x01"};
}

// What has changed since it was told last.
class Teller {
  public:
    void tell(const LegacyDevice& device) {
        if (!is_told_ && device.time()) std::cout << "connected" << std::endl;
        is_told_ = device.time().has_value();
        for (; events_ < device.events().size(); ++events_) {
            const LegacyEvent& event = device.events()[events_];
            std::cout << "heard " << event.name << ' ' << event.data << std::endl;
        }
        if (device.signal() != signal_)
            std::cout << "signal " << (device.signal() == true ? "on" : "off") << std::endl;
        signal_ = device.signal();
    }

  private:
    bool is_told_ = false;
    std::size_t events_ = 0;
    std::optional<bool> signal_;
};

void obey(const std::string& line, LegacyDevice& device) {
    std::istringstream words{line};
    std::string verb;
    std::string name;
    std::string data;
    words >> verb >> name >> std::ws;
    std::getline(words, data);
    if (verb == "publish") device.publish({.name = name, .data = data});
    if (verb == "subscribe") device.subscribe(name, true);
}

bool flush(int socket, LegacyDevice& device) {
    const auto output = device.take_output();
    return ::send(socket, output.data(), output.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(output.size());
}

// One connection. False once standard input has ended.
bool live(int socket, LegacyDevice& device) {
    Teller teller;
    std::string typed;
    while (device.trouble().empty()) {
        pollfd files[2] = {{socket, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
        const int ready = ::poll(files, 2, 15'000);
        if (ready == 0) device.ping();
        std::uint8_t piece[1'024];
        if (files[0].revents != 0) {
            const ssize_t size = ::recv(socket, piece, sizeof piece, 0);
            if (size <= 0) return true;
            device.receive(Bytes{piece, static_cast<std::size_t>(size)});
        }
        if (files[1].revents != 0) {
            const ssize_t size = ::read(STDIN_FILENO, piece, sizeof piece);
            if (size <= 0) return false;
            typed.append(sotto::as_text(Bytes{piece, static_cast<std::size_t>(size)}));
        }
        while (device.step()) {
        }
        for (std::size_t end;
             device.is_connected() && (end = typed.find('\n')) != std::string::npos;
             typed.erase(0, end + 1))
            obey(typed.substr(0, end), device);
        teller.tell(device);
        if (!flush(socket, device)) return true;
    }
    std::cout << "trouble: " << device.trouble() << std::endl;
    return true;
}

int run(const std::vector<std::string>& arguments) {
    const Place place{.host = arguments[0], .port = arguments[1]};
    const LegacyKey key = load_or_make_key(arguments[4]);
    if (place.host == "-") return EXIT_SUCCESS;
    const std::string firmware = arguments.size() > 5 ? arguments[5] : "bluz";
    LegacyDevice::Setup setup{.key = key, .server_key = read_file(arguments[2])};
    if (firmware == "0.6") setup.firmware = Firmware::System06;
    if (firmware == "6") setup.firmware = Firmware::System6;
    if (firmware != "bluz") setup.platform = setup.product = 6;
    if (!sotto::from_hex(arguments[3], setup.id)) return EXIT_FAILURE;
    for (bool goes_on = true; goes_on;) {
        const int socket = connect_to(place);
        LegacyDevice device{setup};
        furnish(device);
        if (socket >= 0) goes_on = live(socket, device);
        if (socket >= 0) ::close(socket);
        if (goes_on) std::this_thread::sleep_for(std::chrono::milliseconds{300});
    }
    return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() < 5 || arguments.size() > 6) {
        std::cerr
            << "usage: sotto-legacy-device HOST PORT SERVER_KEY.der ID KEY.der [bluz|0.6|6]\n";
        return 2;
    }
    return run(arguments);
}
