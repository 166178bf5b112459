// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/particle_keys.hpp"

#include <filesystem>

#include "cloud/server/limits.hpp"
#include "core/base/secret.hpp"
#include "ports/linux/file.hpp"

namespace sotto::cloud::server {

using particle_openssl::ServerKey;
using ports::Failure;
using ports::Outcome;

namespace {

constexpr const char* kFolder = "/particle";
constexpr const char* kPrivate = "default_key.pem";
constexpr const char* kFormerPrivate = "previous_key.pem";
constexpr const char* kPublicPem = "default_key.pub.pem";
constexpr const char* kPublicDer = "default_key.pub.der";

std::string path_of(const std::string& state, const char* name) {
    return state + kFolder + "/" + name;
}

Outcome<> write(const std::string& state, const std::string& name, Bytes content) {
    SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(state + kFolder));
    if (ports::replace_file(folder, name, content)) return {};
    return Failure{Error::StorageFailed,
                   "cannot write " + path_of(state, name.c_str()) +
                       ": check permissions and space of its disk"};
}

Outcome<> write_private(const std::string& state, const char* name, const ServerKey& key) {
    std::string pem = key.private_pem();
    const auto written = write(state, name, as_bytes(pem));
    wipe({static_cast<std::uint8_t*>(static_cast<void*>(pem.data())), pem.size()});
    return written;
}

Outcome<> write_public(const std::string& state, const ServerKey& key) {
    SOTTO_TRY(write(state, kPublicPem, as_bytes(key.public_pem())));
    return write(state, kPublicDer, key.public_der());
}

Outcome<ServerKey> read(const std::string& path) {
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

bool is_missing(const std::string& path) { return !std::filesystem::exists(path); }

}  // namespace

std::string particle_public_pem_path(const std::string& state) {
    return path_of(state, kPublicPem);
}
std::string particle_public_der_path(const std::string& state) {
    return path_of(state, kPublicDer);
}

Outcome<std::string> write_particle_file(const std::string& state,
                                         const std::string& name,
                                         Bytes content) {
    SOTTO_TRY(write(state, name, content));
    return path_of(state, name.c_str());
}

Outcome<ServerKey> read_particle_key(const std::string& state) {
    return read(path_of(state, kPrivate));
}

Outcome<ServerKey> ensure_particle_key(const std::string& state) {
    auto key = read_particle_key(state);
    const bool is_new = !key && key.error().code == Error::NotFound;
    if (is_new) {
        auto made = ServerKey::generate();
        if (!made) return Failure{Error::EntropyFailed, "the system gives no random numbers"};
        SOTTO_TRY(write_private(state, kPrivate, *made));
        key = *std::move(made);
    }
    if (!key) return key;
    if (is_new || is_missing(particle_public_pem_path(state)) ||
        is_missing(particle_public_der_path(state)))
        SOTTO_TRY(write_public(state, *key));
    return key;
}

Outcome<std::vector<ServerKey>> open_particle_keys(const std::string& state) {
    std::vector<ServerKey> keys;
    SOTTO_TRY_ASSIGN(auto present, ensure_particle_key(state));
    keys.push_back(std::move(present));
    auto former = read(path_of(state, kFormerPrivate));
    if (!former && former.error().code != Error::NotFound) return former.error();
    if (former) keys.push_back(*std::move(former));
    return keys;
}

// The former one first: after a power cut there are two names for one key, and none is lost.
Outcome<> replace_particle_key(const std::string& state, const ServerKey& key) {
    SOTTO_TRY_ASSIGN(const ServerKey present, ensure_particle_key(state));
    if (present.public_der() == key.public_der()) return {};
    const auto former = read(path_of(state, kFormerPrivate));
    const bool is_cut_short = former && former->public_der() == present.public_der();
    const bool is_there = former || former.error().code != Error::NotFound;
    if (is_there && !is_cut_short)
        return Failure{Error::AlreadyExists,
                       "some devices may still know this cloud by the key before this one: first "
                       "give all of them the present one, then run sotto-cloud keys retire"};
    SOTTO_TRY(write_private(state, kFormerPrivate, present));
    SOTTO_TRY(write_private(state, kPrivate, key));
    return write_public(state, key);
}

Outcome<> retire_particle_key(const std::string& state) {
    std::error_code error;
    if (std::filesystem::remove(path_of(state, kFormerPrivate), error)) return {};
    if (!error) return Failure{Error::NotFound, "there is no former key"};
    return Failure{Error::StorageFailed, "cannot remove " + path_of(state, kFormerPrivate)};
}

}  // namespace sotto::cloud::server
