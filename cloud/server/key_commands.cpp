// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/key_commands.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "cloud/particle/key_files.hpp"
#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/particle_keys.hpp"
#include "cloud/server/state.hpp"
#include "core/base/hex.hpp"
#include "core/base/secret.hpp"
#include "core/crypto/hash.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

using particle_openssl::ServerKey;
using ports::Failure;
using ports::Outcome;

namespace {

namespace fs = std::filesystem;

using Keys = std::vector<model::DeviceKey>;

constexpr const char* kServerKeyFile = "default_key.pem";
constexpr std::string_view kKeyEnd = ".pub.pem";
constexpr std::string_view kShownKeyEnd = "_handshake.pub.pem";
constexpr std::size_t kShownDigits = 16;  // of a fingerprint

Outcome<model::DeviceId> parse_id(const std::string& text) {
    model::DeviceId device{};
    if (from_hex(text, device)) return device;
    return Failure{
        Error::InvalidArgument,
        text + ": a device id has 24 hexadecimal digits, as in b1e20102030405060708090a"};
}

Failure no_database() { return {Error::StorageFailed, "cannot use the database; see doctor"}; }

std::string fingerprint_of(const model::DeviceKey& key) {
    return to_hex<std::string>(crypto::sha256(key.key));
}

Outcome<model::DeviceKey> read_key(const model::DeviceId& device, const std::string& path) {
    SOTTO_TRY_ASSIGN(const auto content, ports::read_file(path, kCertificateFileMax));
    auto key = particle_openssl::read_device_key(content);
    if (key) return model::DeviceKey{device, *std::move(key), SteadyClock{}.now()};
    return Failure{Error::InvalidArgument,
                   path +
                       ": it must be the public RSA key of 1024 bits of a device, in PEM or DER, "
                       "as `particle keys save` or `openssl rsa -pubout` writes it"};
}

// The commands that need the database.
class Registry {
  public:
    Registry(Waiter& waiter, store::Store& store) : waiter_(waiter), store_(store) {}

    Outcome<std::string> make(const KeysCommand& command) {
        SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
        const std::string id = to_hex<std::string>(device);
        SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(command.path));
        const std::string path = command.path + "/" + id;
        if (fs::exists(path + ".der"))
            return Failure{Error::AlreadyExists,
                           path + ".der is there already; remove it, or name another folder"};
        const auto pair = particle_openssl::DevicePair::generate();
        if (!pair) return Failure{Error::EntropyFailed, "the system gives no random numbers"};
        const std::string pem = particle_openssl::to_pem(pair->public_der());
        const bool is_written = ports::replace_file(folder, id + ".der", pair->private_der()) &&
                                ports::replace_file(folder, id + ".pub.pem", as_bytes(pem));
        if (!is_written) return Failure{Error::StorageFailed, "cannot write into " + command.path};
        SOTTO_TRY(store({device, pair->public_der(), SteadyClock{}.now()}));
        return "The cloud knows device " + id + " by a new key from now on. Put the private half " +
               path +
               ".der on the device, and remove the file then: bluz: sotto keys flash; "
               "others: dfu-util, at the place that keys server --for names.\n";
    }

    Outcome<std::string> set(const KeysCommand& command) {
        SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
        SOTTO_TRY_ASSIGN(const model::DeviceKey key, read_key(device, command.path));
        SOTTO_TRY(store(key));
        return known(key);
    }

    Outcome<std::string> remove(const KeysCommand& command) {
        SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
        const Status erased = waiter_.wait_for<void>(
            [&](auto done) { store_.erase_device_key(device, std::move(done)); });
        if (erased) return "The key of " + to_hex<std::string>(device) + " is forgotten.\n";
        if (erased.error() != Error::NotFound) return no_database();
        return Failure{Error::NotFound, "there is no key of device " + command.device};
    }

    Outcome<std::string> list() {
        SOTTO_TRY_ASSIGN(const Keys keys, all());
        std::string text;
        for (const model::DeviceKey& key : keys) text += line_of(key) + "\n";
        return text;
    }

    Outcome<std::string> list_pending() {
        SOTTO_TRY_ASSIGN(const Keys keys, all());
        SOTTO_TRY_ASSIGN(const Keys pending, all_pending());
        std::string text;
        for (const model::DeviceKey& key : pending) {
            const bool is_known =
                std::ranges::count(keys, key.device, &model::DeviceKey::device) > 0;
            text += line_of(key) + (is_known ? "  is known by another key" : "") + "\n";
        }
        return text;
    }

    Outcome<std::string> approve(const KeysCommand& command) {
        SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
        SOTTO_TRY_ASSIGN(Keys keys, all_pending());
        std::erase_if(keys, [&](const model::DeviceKey& key) {
            return key.device != device || !fingerprint_of(key).starts_with(command.fingerprint);
        });
        if (keys.empty())
            return Failure{Error::NotFound,
                           "no such key of device " + command.device +
                               " is pending: sotto-cloud keys pending lists what was shown"};
        if (keys.size() > 1)
            return Failure{Error::InvalidArgument,
                           "the device has shown several keys: compare, and name one with --key"};
        SOTTO_TRY(store(keys.front()));
        return known(keys.front());
    }

    Outcome<std::string> import(const KeysCommand& command) {
        std::error_code error;
        fs::directory_iterator files{command.path, error};
        if (error) return Failure{Error::NotFound, command.path + ": " + error.message()};
        Imported count;
        std::map<std::string, std::string> in_order;
        for (const auto& entry : files)
            in_order.emplace(entry.path().filename().string(), entry.path().string());
        for (const auto& [name, path] : in_order) SOTTO_TRY(import_file(name, path, count));
        std::string text = std::to_string(count.taken) + " keys of devices were taken, " +
                           std::to_string(count.known) + " were known already, " +
                           std::to_string(count.pending) + " wait for approval.\n";
        const std::string server_key = command.path + "/" + kServerKeyFile;
        if (fs::exists(server_key)) {
            SOTTO_TRY_ASSIGN(auto content, ports::read_file(server_key, kCertificateFileMax));
            const auto key = ServerKey::read(as_text(content));
            wipe(content);
            if (!key)
                return Failure{Error::InvalidArgument,
                               server_key +
                                   " is no RSA key of 2048 bits in PEM without a passphrase; take "
                                   "it off with `openssl rsa -in FILE -out FILE`"};
            SOTTO_TRY(replace_particle_key(command.state, *key));
            text +=
                "Devices know this cloud by the key of that server, and still by its own; from "
                "its next start on.\n";
        }
        return text + count.trouble;
    }

  private:
    struct Imported {
        std::size_t taken = 0;
        std::size_t known = 0;
        std::size_t pending = 0;
        std::string trouble{};
    };

    // One that is known by another key here stays known by it.
    Outcome<> import_file(const std::string& name, const std::string& path, Imported& count) {
        const bool is_shown = name.ends_with(kShownKeyEnd);
        const std::string_view end = is_shown ? kShownKeyEnd : kKeyEnd;
        model::DeviceId device{};
        if (!name.ends_with(end) || !from_hex(name.substr(0, name.size() - end.size()), device))
            return {};
        const auto key = read_key(device, path);
        if (!key) {
            count.trouble += key.error().detail + "\n";
            return {};
        }
        const auto known = waiter_.wait_for<std::optional<model::DeviceKey>>(
            [&](auto done) { store_.find_device_key(device, std::move(done)); });
        if (!known) return no_database();
        const bool is_same = *known && (*known)->key == key->key;
        if (is_same) {
            ++count.known;
        } else if (is_shown || *known) {
            ++count.pending;
            const Status noted = waiter_.wait_for<void>(
                [&](auto done) { store_.add_pending_key(*key, std::move(done)); });
            if (!noted) return no_database();
        } else {
            ++count.taken;
            return store(*key);
        }
        return {};
    }

    Outcome<> store(const model::DeviceKey& key) {
        const Status stored =
            waiter_.wait_for<void>([&](auto done) { store_.set_device_key(key, std::move(done)); });
        if (!stored) return no_database();
        return {};
    }
    Outcome<Keys> all() {
        const auto keys =
            waiter_.wait_for<Keys>([&](auto done) { store_.list_device_keys(std::move(done)); });
        if (!keys) return no_database();
        return *keys;
    }
    Outcome<Keys> all_pending() {
        const auto keys =
            waiter_.wait_for<Keys>([&](auto done) { store_.list_pending_keys(std::move(done)); });
        if (!keys) return no_database();
        return *keys;
    }
    static std::string line_of(const model::DeviceKey& key) {
        return to_hex<std::string>(key.device) + "  " + fingerprint_of(key).substr(0, kShownDigits);
    }
    static std::string known(const model::DeviceKey& key) {
        return "The cloud knows device " + to_hex<std::string>(key.device) + " by the key " +
               fingerprint_of(key).substr(0, kShownDigits) + " from now on.\n";
    }

    Waiter& waiter_;
    store::Store& store_;
};

Outcome<std::optional<particle::ServerAddress>> parse_address(const std::string& text) {
    if (text.empty()) return std::optional<particle::ServerAddress>{};
    const std::size_t colon = text.rfind(':');
    particle::ServerAddress address{.host = text.substr(0, colon)};
    if (colon != std::string::npos) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
        if (error != std::errc{} || stop != end)
            return Failure{Error::InvalidArgument, "--address " + text + ": it must be HOST:PORT"};
    }
    return std::optional{address};
}

Outcome<std::string> show_server_key(const KeysCommand& command) {
    SOTTO_TRY_ASSIGN(const ServerKey key, ensure_particle_key(command.state));
    if (command.platform.empty())
        return "The key by which legacy devices know this cloud, to be put on each of them:\n"
               "  PEM: " +
               particle_public_pem_path(command.state) +
               "\n  DER: " + particle_public_der_path(command.state) + "\n";
    const auto platform = particle::find_platform(command.platform);
    if (!platform)
        return Failure{
            Error::InvalidArgument,
            "--for " + command.platform + ": it must be one of " + particle::platform_names()};
    SOTTO_TRY_ASSIGN(const auto address, parse_address(command.address));
    const auto segment = particle::make_server_segment(*platform, key.public_der(), address);
    if (!segment)
        return Failure{Error::InvalidArgument,
                       "--address " + command.address + ": " +
                           (platform->segment_size == 0
                                ? "such a device keeps none; its gateway has it"
                                : "a device keeps an IPv4 address or a name of at most 63 bytes, "
                                  "and a port")};
    SOTTO_TRY_ASSIGN(
        const std::string path,
        write_particle_file(command.state, "server_" + command.platform + ".bin", *segment));
    if (platform->usb.empty())
        return path +
               "\nPut it on a board in setup mode: sotto keys flash --serial PORT "
               "--server-key FILE\n";
    const std::string tool = "dfu-util -d " + std::string{platform->usb} + " -a 1 -s ";
    return path + "\nPut it on a device in DFU mode:\n  " + tool +
           std::string{platform->server_place} +
           " -D FILE\nA private key of the device goes to:\n  " + tool +
           std::string{platform->private_place} + " -D ID.der\n";
}

Outcome<std::string> rotate(const KeysCommand& command) {
    const auto key = ServerKey::generate();
    if (!key) return Failure{Error::EntropyFailed, "the system gives no random numbers"};
    SOTTO_TRY(replace_particle_key(command.state, *key));
    return "Devices know this cloud by another key: " + particle_public_der_path(command.state) +
           "\nStart the cloud again, and give it to each device; until then they come by the "
           "former "
           "one. Which of them do, the log says (server_key=previous). When none does any more: "
           "sotto-cloud keys retire\n";
}

Outcome<std::string> retire(const KeysCommand& command) {
    SOTTO_TRY(retire_particle_key(command.state));
    return std::string{"The former key counts no more, from the next start of the cloud on.\n"};
}

}  // namespace

Outcome<std::string> perform_keys(const KeysCommand& command) {
    using What = KeysCommand::What;
    if (const auto there = check_cloud(command.state); !there) return there.error();
    if (command.what == What::Server) return show_server_key(command);
    if (command.what == What::Rotate) return rotate(command);
    if (command.what == What::Retire) return retire(command);
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    Registry registry{waiter, *store};
    switch (command.what) {
        case What::New:
            return registry.make(command);
        case What::Set:
            return registry.set(command);
        case What::Remove:
            return registry.remove(command);
        case What::Pending:
            return registry.list_pending();
        case What::Approve:
            return registry.approve(command);
        case What::Import:
            return registry.import(command);
        case What::List:
        case What::Server:
        case What::Rotate:
        case What::Retire:
            break;
    }
    return registry.list();
}

}  // namespace sotto::cloud::server
