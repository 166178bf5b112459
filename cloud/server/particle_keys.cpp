// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/particle_keys.hpp"

#include <filesystem>
#include <optional>
#include <vector>

#include "cloud/server/blocking_store.hpp"
#include "cloud/server/clock.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/server/state.hpp"
#include "core/base/hex.hpp"
#include "core/base/secret.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

using particle_openssl::ServerKey;
using ports::Failure;
using ports::Outcome;

namespace {

constexpr const char* kFolder = "/particle";
constexpr const char* kPrivate = "default_key.pem";
constexpr const char* kPublicPem = "default_key.pub.pem";
constexpr const char* kPublicDer = "default_key.pub.der";

std::string path_of(const std::string& state, const char* name) {
    return state + kFolder + "/" + name;
}

Outcome<> write(const std::string& state, const char* name, Bytes content) {
    SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(state + kFolder));
    if (ports::replace_file(folder, name, content)) return {};
    return Failure{
        Error::StorageFailed,
        "cannot write " + path_of(state, name) + ": check permissions and space of its disk"};
}

Outcome<ServerKey> make(const std::string& state) {
    auto key = ServerKey::generate();
    if (!key) return Failure{Error::EntropyFailed, "the system gives no random numbers"};
    std::string pem = key->private_pem();
    const auto written = write(state, kPrivate, as_bytes(pem));
    wipe({static_cast<std::uint8_t*>(static_cast<void*>(pem.data())), pem.size()});
    SOTTO_TRY(written);
    return *std::move(key);
}

bool is_missing(const std::string& path) { return !std::filesystem::exists(path); }

Outcome<model::DeviceId> parse_id(const std::string& text) {
    model::DeviceId device{};
    if (from_hex(text, device)) return device;
    return Failure{
        Error::InvalidArgument,
        text + ": a device id has 24 hexadecimal digits, as in b1e20102030405060708090a"};
}

Failure no_database() { return {Error::StorageFailed, "cannot use the database; see doctor"}; }

Outcome<std::string> set(Waiter& waiter, store::Store& store, const DeviceKeyCommand& command) {
    SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
    SOTTO_TRY_ASSIGN(const auto content, ports::read_file(command.file, kCertificateFileMax));
    auto key = particle_openssl::read_device_key(content);
    if (!key)
        return Failure{Error::InvalidArgument,
                       command.file +
                           ": it must be the public RSA key of 1024 bits of a device, in PEM or "
                           "DER, as `particle keys save` or `openssl rsa -pubout` writes it"};
    const Status stored = waiter.wait_for<void>([&](auto done) {
        store.set_device_key(
            {.device = device, .key = *std::move(key), .stored_at = SteadyClock{}.now()},
            std::move(done));
    });
    if (!stored) return no_database();
    return "The cloud knows device " + to_hex<std::string>(device) + " by this key from now on.\n";
}

Outcome<std::string> remove(Waiter& waiter, store::Store& store, const DeviceKeyCommand& command) {
    SOTTO_TRY_ASSIGN(const model::DeviceId device, parse_id(command.device));
    const Status erased =
        waiter.wait_for<void>([&](auto done) { store.erase_device_key(device, std::move(done)); });
    if (erased) return "The key of " + to_hex<std::string>(device) + " is forgotten.\n";
    if (erased.error() != Error::NotFound) return no_database();
    return Failure{Error::NotFound, "there is no key of device " + command.device};
}

Outcome<std::string> list(Waiter& waiter, store::Store& store) {
    using Keys = std::vector<model::DeviceKey>;
    const auto keys =
        waiter.wait_for<Keys>([&](auto done) { store.list_device_keys(std::move(done)); });
    if (!keys) return no_database();
    std::string text;
    for (const model::DeviceKey& key : *keys) text += to_hex<std::string>(key.device) + "\n";
    return text;
}

Outcome<std::string> show_server_key(const std::string& state) {
    SOTTO_TRY_ASSIGN(const ServerKey key, ensure_particle_key(state));
    return "The key by which legacy devices know this cloud, to be put on each of them:\n"
           "  PEM: " +
           particle_public_pem_path(state) + "\n  DER: " + particle_public_der_path(state) + "\n";
}

}  // namespace

std::string particle_public_pem_path(const std::string& state) {
    return path_of(state, kPublicPem);
}
std::string particle_public_der_path(const std::string& state) {
    return path_of(state, kPublicDer);
}

Outcome<ServerKey> read_particle_key(const std::string& state) {
    const std::string path = path_of(state, kPrivate);
    SOTTO_TRY_ASSIGN(auto content, ports::read_file(path, kCertificateFileMax));
    auto key = ServerKey::read(as_text(content));
    wipe(content);
    if (key) return *std::move(key);
    return Failure{Error::Malformed,
                   path +
                       " is no RSA key of 2048 bits in PEM without a passphrase, by which devices "
                       "could know this cloud; nothing was changed: put back a copy of it, or "
                       "remove it, and give the devices the new one"};
}

Outcome<ServerKey> ensure_particle_key(const std::string& state) {
    auto key = read_particle_key(state);
    const bool is_new = !key && key.error().code == Error::NotFound;
    if (is_new) key = make(state);
    if (!key) return key;
    if (is_new || is_missing(particle_public_pem_path(state)))
        SOTTO_TRY(write(state, kPublicPem, as_bytes(key->public_pem())));
    if (is_new || is_missing(particle_public_der_path(state)))
        SOTTO_TRY(write(state, kPublicDer, key->public_der()));
    return key;
}

Outcome<std::string> perform_device_key(const DeviceKeyCommand& command) {
    if (const auto there = check_cloud(command.state); !there) return there.error();
    if (command.what == DeviceKeyCommand::What::Server) return show_server_key(command.state);
    Waiter waiter;
    SOTTO_TRY_ASSIGN(const auto store, open_store(command.state, waiter.executor()));
    switch (command.what) {
        case DeviceKeyCommand::What::Set:
            return set(waiter, *store, command);
        case DeviceKeyCommand::What::Remove:
            return remove(waiter, *store, command);
        case DeviceKeyCommand::What::List:
        case DeviceKeyCommand::What::Server:
            break;
    }
    return list(waiter, *store);
}

}  // namespace sotto::cloud::server
