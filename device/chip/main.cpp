// SPDX-License-Identifier: Apache-2.0
// sotto-chip: keys for devices on a chip, and their air.
#include <csignal>
#include <exception>
#include <filesystem>
#include <iostream>

#include <boost/asio/signal_set.hpp>

#include "device/boot/layout.hpp"
#include "device/chip/provision.hpp"
#include "device/chip/settings.hpp"
#include "device/chip/sign.hpp"
#include "device/chip/uart_air.hpp"
#include "ports/linux/file.hpp"
#include "ports/linux/system_entropy.hpp"
#include "ports/openssl/ecdsa.hpp"

namespace {

using namespace sotto;
using namespace sotto::chip;

constexpr std::size_t kKeyFileSizeMax = 16'384;

Outcome<> write_new(const std::string& path, Bytes content) {
    const auto written = ports::create_file(path, content);
    if (!written) return written.error().detail + ". Name another file";
    return {};
}

Outcome<std::optional<crypto::DhPublicKey>> load_publisher(const std::string& path) {
    if (path.empty()) return std::optional<crypto::DhPublicKey>{};
    const auto content = ports::read_file(path, kKeyFileSizeMax);
    if (!content) return content.error().detail + ". Check --publisher";
    const auto key = ports::parse_public_key(*content);
    if (!key) return path + ": " + std::string{to_string(key.error())};
    return std::optional{*key};
}

Outcome<> run(const ProvisionCommand& command) {
    auto image = ports::read_file(command.firmware, kImageSize);
    if (!image) return image.error().detail + ". Check --firmware";
    SOTTO_TRY_ASSIGN(const auto publisher, load_publisher(command.publisher));
    ports::SystemEntropy entropy;
    SOTTO_TRY_ASSIGN(const Provisioned made,
                     provision(*image, command.subject, publisher, entropy));
    SOTTO_TRY(write_new(command.out, *image));
    if (!command.code_file.empty())
        SOTTO_TRY(write_new(command.code_file, as_bytes(made.code + "\n")));
    std::cout << "chip " << made.id << "\n" << made.code << std::endl;
    return {};
}

Outcome<> run(const SignCommand& command) {
    const auto key = ports::load_private_key(command.key);
    if (!key) return command.key + ": " + std::string{to_string(key.error())};
    Release release{.hardware = command.hardware, .version = command.version, .images = {}};
    auto image = release.images.begin();
    for (const std::string& path : {command.slot_a, command.slot_b}) {
        auto content = ports::read_file(path, boot::kSlotSize);
        if (!content) return content.error().detail + ". Check --slot-a and --slot-b";
        *image++ = *std::move(content);
    }
    SOTTO_TRY_ASSIGN(const std::vector<std::uint8_t> file, sign(std::move(release), *key));
    SOTTO_TRY(write_new(command.out, file));
    std::cout << "version " << command.version << " for " << command.hardware << ", " << file.size()
              << " bytes" << std::endl;
    return {};
}

Outcome<> make_air_folder(const std::string& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return {};
    if (const auto made = ports::open_private_folder(path); !made)
        return made.error().detail + ". Name another folder with --air";
    return {};
}

Outcome<> run(const AirCommand& command) {
    SOTTO_TRY(make_air_folder(command.air));
    boost::asio::io_context loop{1};
    boost::asio::signal_set signals{loop, SIGINT, SIGTERM};
    signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
    const auto log = [](const std::string& line) { std::cout << line << std::endl; };
    UartAir air{loop, {.uart = command.uart, .folder = command.air, .log = log}};
    SOTTO_TRY(air.open());
    loop.run();
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const auto parsed = parse_command_line({argv + 1, argv + argc});
        if (const auto* leave = std::get_if<Leave>(&parsed)) {
            std::cout << leave->output;
            std::cerr << leave->error;
            return leave->code;
        }
        const Outcome<> outcome =
            std::visit([](const auto& command) { return run(command); }, std::get<Command>(parsed));
        if (outcome) return EXIT_SUCCESS;
        std::cerr << "sotto-chip: " << outcome.error() << ".\n";
    } catch (const std::exception& error) {
        std::cerr << "sotto-chip: an unexpected error: " << error.what() << '\n';
    }
    return EXIT_FAILURE;
}
