// SPDX-License-Identifier: Apache-2.0
// `sotto keys flash`: the keys of a bluz board over its serial line.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "app/cli/job.hpp"
#include "app/cli/serial.hpp"
#include "app/client/uart_transfer.hpp"
#include "core/base/hex.hpp"
#include "core/base/secret.hpp"
#include "ports/linux/file.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::app {
namespace {

using Item = UartTransfer::Item;
using State = UartTransfer::State;

constexpr std::size_t kFileSizeMax = 4'096;
constexpr std::size_t kDeviceKeySizeMax = 612;
constexpr std::size_t kServerKeySize = 294;
constexpr Duration kLook = milliseconds(200);

// What the board's parsers expect to stand in front, "xx" for any byte: RSAPrivateKey of 1,024 bits
// (RFC 8017 A.1.2) and SubjectPublicKeyInfo of 2,048.
constexpr std::string_view kDeviceKeyFront = "3082xxxx02010002818100";
constexpr std::string_view kServerKeyFront =
    "30820122300d06092a864886f70d01010105000382010f003082010a0282010100";

bool begins_with(Bytes bytes, std::string_view front) {
    const std::string digits{front};
    if (bytes.size() < digits.size() / 2) return false;
    std::string found = to_hex<std::string>(bytes.first(digits.size() / 2));
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (digits[i] == 'x') found[i] = 'x';
    }
    return found == digits;
}

bool is_key(Item item, Bytes bytes) {
    if (item == Item::ServerKey)
        return bytes.size() == kServerKeySize && begins_with(bytes, kServerKeyFront);
    return bytes.size() <= kDeviceKeySizeMax && begins_with(bytes, kDeviceKeyFront);
}

Outcome<std::vector<std::uint8_t>> read_key(Item item, const std::string& path) {
    auto content = ports::read_file(path, kFileSizeMax);
    if (!content) return Failure{Trouble::Usage, content.error().detail, "Check the path"};
    if (is_key(item, *content)) return *std::move(content);
    const bool is_device = item == Item::DeviceKey;
    wipe(*content);
    return Failure{Trouble::Usage,
                   path + (is_device ? " is no private RSA key of 1,024 bits in the DER that a "
                                       "board reads"
                                     : " is no public RSA key of 2,048 bits in DER"),
                   is_device ? "Take the ID.der that sotto-cloud keys new has written"
                             : "Take the DER that sotto-cloud keys server names"};
}

Failure no_transfer(const UartTransfer& transfer, const std::string& what) {
    if (transfer.state() == State::Silent && transfer.taken() == 0)
        return {Trouble::Unreachable,
                "the board does not answer",
                "Hold its button while you reset it, let go when the light is yellow after 3 "
                "seconds, and try again"};
    return {Trouble::OutcomeUnknown,
            "the board took " + std::to_string(transfer.taken()) + " bytes of " + what +
                ", and then " +
                (transfer.state() == State::Silent ? "fell silent"
                                                   : "answered something else than was expected"),
            "Its old key is erased: do it again until it says done"};
}

Outcome<> transfer_key(SerialLine& line, Item item, Bytes content, const Job& job) {
    const std::string what = item == Item::DeviceKey ? "the device's key" : "the key of the cloud";
    UartTransfer transfer{item, content, ports::SystemClock::now()};
    while (!transfer.is_over()) {
        while (const auto bytes = transfer.next_bytes()) SOTTO_TRY(line.write(*bytes));
        std::array<std::uint8_t, 256> room{};
        SOTTO_TRY_ASSIGN(const Bytes bytes, line.read(room, kLook));
        transfer.receive(bytes, ports::SystemClock::now());
        transfer.on_time(ports::SystemClock::now());
    }
    if (transfer.state() != State::Done) return no_transfer(transfer, what);
    job.printer.result(
        what + " is on the board: " + std::to_string(content.size()) + " bytes",
        {{"key", item == Item::DeviceKey ? "device" : "server"}, {"bytes", content.size()}});
    return {};
}

}  // namespace

Outcome<> run(const KeysFlashCommand& command, const Job& job) {
    std::vector<std::pair<Item, std::vector<std::uint8_t>>> keys;
    if (!command.device_key_file.empty()) {
        SOTTO_TRY_ASSIGN(auto key, read_key(Item::DeviceKey, command.device_key_file));
        keys.emplace_back(Item::DeviceKey, std::move(key));
    }
    if (!command.server_key_file.empty()) {
        SOTTO_TRY_ASSIGN(auto key, read_key(Item::ServerKey, command.server_key_file));
        keys.emplace_back(Item::ServerKey, std::move(key));
    }
    if (keys.empty())
        return Failure{Trouble::Usage,
                       "which key is to be put on the board?",
                       "Name --device-key or --server-key, or both"};
    Outcome<> done;
    auto line = SerialLine::open(command.serial);
    if (!line) done = line.error();
    for (auto& [item, key] : keys) {
        if (done) done = transfer_key(*line, item, key, job);
        wipe(key);
    }
    SOTTO_TRY(done);
    // "e": leave setup mode and start.
    SOTTO_TRY(line->write(as_bytes("e")));
    job.printer.note(
        "The board starts with it now. The cable is no secret: whoever has it can do "
        "the same");
    return {};
}

}  // namespace sotto::app
