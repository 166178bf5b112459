// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/bluz_state.hpp"

#include "core/base/hex.hpp"
#include "ports/linux/file.hpp"

namespace sotto::device {
namespace {

using particle::DeviceId;
using particle_openssl::DeviceKey;
using particle_openssl::ServerKey;

constexpr std::size_t kFileSizeMax = 16'384;
constexpr const char* kIdFile = "id";
constexpr const char* kKeyFile = "key.pem";
constexpr const char* kPublicKeyFile = "key.pub.pem";

const std::string kNoRandomness = "the system gives no random numbers. Try again";

class Folder {
  public:
    static Outcome<Folder> open(const std::string& path) {
        auto folder = ports::open_private_folder(path);
        if (!folder) return folder.error().detail;
        return Folder{path, *std::move(folder)};
    }

    std::string path_of(const char* name) const { return path_ + "/" + name; }
    // Nothing if it is not there.
    Outcome<std::optional<std::vector<std::uint8_t>>> read(const char* name) const {
        auto content = ports::read_file(path_of(name), kFileSizeMax);
        if (content) return std::optional{*std::move(content)};
        if (content.error().code == Error::NotFound)
            return std::optional<std::vector<std::uint8_t>>{};
        return content.error().detail;
    }
    Outcome<> write(const char* name, Bytes content) const {
        if (ports::replace_file(folder_, name, content)) return {};
        return path_of(name) + " cannot be written. Check disk and permissions";
    }
    std::string damaged(const char* name) const {
        return path_of(name) +
               " is damaged; nothing was changed. Put back a copy, or move the folder " + path_ +
               " away to be another board, which the cloud must be told of";
    }

  private:
    Folder(std::string path, ports::File folder)
        : path_(std::move(path)), folder_(std::move(folder)) {}

    std::string path_;
    ports::File folder_;
};

Outcome<DeviceId> load_id(const Folder& folder, hal::Entropy& entropy) {
    SOTTO_TRY_ASSIGN(const auto content, folder.read(kIdFile));
    DeviceId id{};
    if (!content) {
        if (!entropy.fill(id)) return kNoRandomness;
        SOTTO_TRY(folder.write(kIdFile, as_bytes(to_hex<std::string>(id) + "\n")));
        return id;
    }
    std::string_view text = as_text(*content);
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (!from_hex(text, id)) return folder.damaged(kIdFile);
    return id;
}

Outcome<DeviceKey> load_key(const Folder& folder) {
    SOTTO_TRY_ASSIGN(auto content, folder.read(kKeyFile));
    if (!content) {
        auto key = DeviceKey::generate();
        if (!key) return kNoRandomness;
        auto pem = key->private_pem();
        const Outcome<> written = folder.write(kKeyFile, pem);
        wipe(pem);
        if (!written) return written.error();
        return *std::move(key);
    }
    auto key = DeviceKey::read(*content);
    wipe(*content);
    if (!key) return folder.damaged(kKeyFile);
    return *std::move(key);
}

// For the operator, and made anew whenever it is not what it should be.
Outcome<> write_public_key(const Folder& folder, const DeviceKey& key) {
    const std::string pem = key.public_pem();
    SOTTO_TRY_ASSIGN(const auto content, folder.read(kPublicKeyFile));
    if (content && equal(*content, as_bytes(pem))) return {};
    return folder.write(kPublicKeyFile, as_bytes(pem));
}

}  // namespace

Outcome<BluzState> BluzState::open(const std::string& state_folder, hal::Entropy& entropy) {
    SOTTO_TRY_ASSIGN(const Folder folder, Folder::open(state_folder + "/bluz"));
    SOTTO_TRY_ASSIGN(const DeviceId id, load_id(folder, entropy));
    SOTTO_TRY_ASSIGN(DeviceKey key, load_key(folder));
    SOTTO_TRY(write_public_key(folder, key));
    return BluzState{id, std::move(key), folder.path_of(kPublicKeyFile)};
}

Outcome<ServerKey> read_server_key(const std::string& path) {
    const auto content = ports::read_file(path, kFileSizeMax);
    if (!content) return content.error().detail + ". Check the path";
    auto key = ServerKey::read(*content);
    if (!key)
        return path +
               " holds no public key of a cloud for bluz boards, RSA with 2,048 bits in PEM or "
               "DER. sotto-cloud keys server says where that is";
    return *std::move(key);
}

}  // namespace sotto::device
