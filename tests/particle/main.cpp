// SPDX-License-Identifier: Apache-2.0
// The strict device as a process, for tests with real clients. It connects again when it was cut
// off, and lives until it is killed. On standard output, a line for each: ready, call FUNCTION
// ARGUMENT, signal 1 or 0, event NAME DATA, gone, trouble WHY.
//
//   sotto-legacy-device --cloud HOST:PORT --id HEX --server-key FILE --key FILE
//                       [--firmware bluz|0.6|6] [--claim-code CODE] [--make-key]
//                       [--installed FILE] [--vanish-after CHUNKS] [--safe-mode MODULES]
//                       [--product NUMBER] [--product-version NUMBER] [--stays]
//   sotto-legacy-device --air FOLDER --id HEX --server-key FILE --key FILE [--claim-code CODE]
//                       [--wait MS] [--header first|alone|wrong|local]
//
// With --air it is a bluz board on the virtual air, which says `subscribed` when a gateway has it
// and repeats custom data after "echo ". --wait: how long it waits before and after it wants a
// stream, 2000 as firmware does. --header: where the header of a frame is, a wrong one in its first
// frame as firmware 1.0.47 sends it, or no stream at all.
//
// --server-key is PEM or DER. The key pair in --key is made if it is not there, and its public half
// written beside it as FILE.pub, in PEM; with --make-key that is all.
//
// What an update brings goes to the file --installed, and the device restarts with it. With
// --vanish-after it is cut off once, in the middle of its first update. With --safe-mode it says so
// and describes these modules, in JSON, until it has restarted with an update.
//
// It says that it is of --product, in this version, and after an update what the image says; with
// --stays what it said before, as a device does that could not start it.
//
// Functions: led (on: 1, off: 0, else -1), fail (-7), shout (publishes NAME or NAME:DATA).
// Variables: temperature 21.5, count 3, words "hello", is_on true. Whatever it hears as "to-device"
// it repeats as "heard".
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <netdb.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/hex.hpp"
#include "testing/particle/legacy_device.hpp"
#include "testing/particle/legacy_image.hpp"
#include "tests/particle/on_air.hpp"
#include "tests/particle/sketch.hpp"

namespace {

using namespace sotto::testing;  // NOLINT(google-build-using-namespace)
using sotto::Bytes;
using Options = std::map<std::string, std::string>;

constexpr int kPingPeriod_ms = 15'000;

std::vector<std::uint8_t> read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::uint8_t> read_server_key(const std::string& path) {
    auto content = read_file(path);
    BIO* in = BIO_new_mem_buf(content.data(), static_cast<int>(content.size()));
    EVP_PKEY* key = PEM_read_bio_PUBKEY(in, nullptr, nullptr, nullptr);
    BIO_free(in);
    if (key == nullptr) return content;
    std::uint8_t* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    content.assign(der, der + size);
    OPENSSL_free(der);
    EVP_PKEY_free(key);
    return content;
}

LegacyKey load_or_make_key(const std::string& path) {
    const auto known = read_file(path);
    LegacyKey key = known.empty() ? LegacyKey::generate() : LegacyKey::from(known);
    const auto der = key.private_der();
    if (known.empty()) std::ofstream{path, std::ios::binary} << sotto::as_text(der);
    std::ofstream{path + ".pub"} << key.public_pem();
    return key;
}

int connect_to(const std::string& place) {
    const std::size_t colon = place.rfind(':');
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(place.substr(0, colon).c_str(), place.c_str() + colon + 1, &hints, &found) !=
        0)
        return -1;
    const int socket = ::socket(found->ai_family, SOCK_STREAM, 0);
    const bool is_connected = ::connect(socket, found->ai_addr, found->ai_addrlen) == 0;
    ::freeaddrinfo(found);
    if (is_connected) return socket;
    ::close(socket);
    return -1;
}

// One connection, from the nonce to its end.
class Life {
  public:
    // `vanish_after`: so many chunks of an update; 0: never.
    Life(int socket,
         const LegacyDevice::Setup& setup,
         std::string claim_code,
         std::size_t vanish_after)
        : socket_(socket),
          vanish_after_(vanish_after),
          sketch_(std::move(claim_code)),
          device_(setup) {
        sketch_.furnish(device_);
    }
    Life(const Life&) = delete;
    Life& operator=(const Life&) = delete;
    ~Life() { ::close(socket_); }

    void run() {
        while (device_.trouble().empty()) {
            pollfd file{socket_, POLLIN, 0};
            if (::poll(&file, 1, kPingPeriod_ms) == 0) device_.ping();
            if (file.revents != 0 && !read()) break;
            while (device_.step()) {
            }
            sketch_.look_around(device_);
            if (!flush()) break;
            if (vanish_after_ > 0 && device_.chunk_count() >= vanish_after_) break;
        }
        tell(device_.trouble().empty() ? "gone" : "trouble " + device_.trouble());
    }

    const LegacyDevice& device() const { return device_; }

  private:
    bool read() {
        std::uint8_t piece[1'024];
        const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
        if (size <= 0) return false;
        device_.receive(Bytes{piece, static_cast<std::size_t>(size)});
        return true;
    }
    bool flush() {
        const auto output = device_.take_output();
        return ::send(socket_, output.data(), output.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(output.size());
    }

    int socket_;
    std::size_t vanish_after_;
    Sketch sketch_;
    LegacyDevice device_;
};

int run(const Options& options) {
    const LegacyKey key = load_or_make_key(options.at("--key"));
    if (options.contains("--make-key")) return EXIT_SUCCESS;
    const auto text = [&options](const char* name) {
        const auto found = options.find(name);
        return found == options.end() ? std::string{} : found->second;
    };
    LegacyDevice::Setup setup{.key = key,
                              .server_key = read_server_key(options.at("--server-key"))};
    if (!sotto::from_hex(options.at("--id"), setup.id)) throw std::out_of_range{"--id"};
    if (text("--firmware") == "0.6") setup.firmware = Firmware::System06;
    if (text("--firmware") == "6") setup.firmware = Firmware::System6;
    if (options.contains("--safe-mode")) {
        setup.is_in_safe_mode = true;
        setup.modules = text("--safe-mode");
    }
    if (setup.firmware != Firmware::Bluz) setup.platform = setup.product = 6;
    if (options.contains("--product"))
        setup.product = static_cast<std::uint16_t>(std::stoul(text("--product")));
    if (options.contains("--product-version"))
        setup.product_version = static_cast<std::uint16_t>(std::stoul(text("--product-version")));
    if (options.contains("--air")) {
        const std::string header = text("--header");
        OnAir on_air{.folder = options.at("--air"),
                     .claim_code = text("--claim-code"),
                     .setup = {.legacy = setup,
                               .sends_header_alone = header == "alone",
                               .is_local_only = header == "local",
                               .sends_wrong_connect = header == "wrong"}};
        if (options.contains("--wait"))
            on_air.setup.wait = sotto::milliseconds(std::stol(options.at("--wait")));
        return run_on_air(on_air);
    }
    std::size_t vanish_after =
        options.contains("--vanish-after") ? std::stoul(text("--vanish-after")) : 0;
    for (;;) {
        const int socket = connect_to(options.at("--cloud"));
        if (socket >= 0) {
            Life life{socket, setup, text("--claim-code"), vanish_after};
            life.run();
            if (life.device().chunk_count() > 0) vanish_after = 0;
            const auto& installed = life.device().installed();
            setup.is_updated = !installed.empty();
            if (setup.is_updated) {
                setup.is_in_safe_mode = false;
                // One that stays as it was, whatever it is sent, has a firmware that does not
                // start.
                const LegacyProduct mark = product_in(installed);
                if (mark.product != 0xffff && !options.contains("--stays")) {
                    setup.product = mark.product;
                    setup.product_version = mark.version;
                }
                std::ofstream{text("--installed"), std::ios::binary} << sotto::as_text(installed);
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{300});
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        const bool has_value = name != "--make-key" && name != "--stays" && i + 1 < argc;
        options[name] = has_value ? argv[++i] : "";
    }
    try {
        return run(options);
    } catch (const std::out_of_range&) {
        std::cerr
            << "usage: sotto-legacy-device --cloud HOST:PORT|--air FOLDER --id HEX --server-key "
               "FILE --key FILE [more: see its source]\n";
        return 2;
    }
}
