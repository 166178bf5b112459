// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/backup.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <filesystem>
#include <set>
#include <unistd.h>

#include "cloud/server/keys.hpp"
#include "cloud/server/limits.hpp"
#include "cloud/store_sqlite/backup.hpp"
#include "core/base/reader.hpp"
#include "core/base/secret.hpp"
#include "ports/linux/file_storage.hpp"
#include "ports/openssl/sealed_file.hpp"

namespace sotto::cloud::server {

namespace fs = std::filesystem;
using ports::Failure;
using ports::Outcome;
using store_sqlite::Database;
using store_sqlite::Keys;

namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kPrivateKeySize = 32;
constexpr std::size_t kPassphraseSizeMax = 1'024;
constexpr std::size_t kSealedSizeMax = ports::kSealedContentMax + ports::kSealedFileOverhead;

using Buffer = std::vector<std::uint8_t>;

// Bytes that hold a key, wiped at the end.
class Secrets {
  public:
    explicit Secrets(Buffer bytes) : bytes_(std::move(bytes)) {}
    Secrets(const Secrets&) = delete;
    Secrets& operator=(const Secrets&) = delete;
    Secrets(Secrets&& other) noexcept = default;
    Secrets& operator=(Secrets&& other) = delete;
    ~Secrets() { wipe(bytes_); }
    Bytes view() const { return bytes_; }
    MutBytes fill() { return bytes_; }

  private:
    Buffer bytes_;
};

Failure to_failure(const store_sqlite::Failure& failure) { return {failure.code, failure.detail}; }

constexpr const char* kIdentity = "identity";

// Files with keys, of the own authority and the one by which legacy devices know the cloud, if they
// are there; their names are those in the backup.
struct KeyFile {
    const char* folder;
    const char* name;
};
constexpr std::array<KeyFile, 5> kKeyFiles{{{"tls", "authority.pem"},
                                            {"tls", "authority.crt"},
                                            {"tls", "server.pem"},
                                            {"particle", "default_key.pem"},
                                            {"particle", "previous_key.pem"}}};

Buffer encode(const keystore::Identity& identity) {
    Buffer bytes{kFormat};
    const auto key = identity.private_key.expose();
    bytes.insert(bytes.end(), key.begin(), key.end());
    const Bytes credential = identity.credential;
    bytes.insert(bytes.end(), credential.begin(), credential.end());
    return bytes;
}

Result<keystore::Identity> parse(Bytes bytes) {
    Reader in{bytes};
    SOTTO_TRY_ASSIGN(const std::uint8_t format, in.u8());
    if (format != kFormat) return Error::Unsupported;
    SOTTO_TRY_ASSIGN(const Bytes key, in.take(kPrivateKeySize));
    const Bytes credential = in.take_rest();
    if (credential.empty() || credential.size() > keystore::kCredentialSizeMax)
        return Error::Malformed;
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey private_key,
                     crypto::dh_private_from_candidate(key.first<kPrivateKeySize>()));
    keystore::Identity identity{std::move(private_key), keystore::CredentialBytes{credential}};
    if (!match(identity)) return Error::Malformed;
    return identity;
}

Outcome<Keys> read_keys(const std::string& state) {
    SOTTO_TRY_ASSIGN(const keystore::Identity identity, read_identity(state));
    Keys keys{{kIdentity, encode(identity)}};
    for (const auto& [folder, name] : kKeyFiles) {
        auto file = ports::read_file(state + "/" + folder + "/" + name, kCertificateFileMax);
        if (file) {
            keys[name] = *std::move(file);
        } else if (file.error().code != Error::NotFound) {
            return file.error();
        }
    }
    return keys;
}

void wipe_all(Keys& keys) {
    for (auto& [name, content] : keys) wipe(content);
}

Outcome<> put_key_files(const std::string& state, const Keys& keys) {
    for (const auto& [folder_name, name] : kKeyFiles) {
        const auto file = keys.find(name);
        if (file == keys.end()) continue;
        SOTTO_TRY_ASSIGN(const ports::File folder,
                         ports::open_private_folder(state + "/" + folder_name));
        if (!ports::replace_file(folder, name, file->second))
            return Failure{Error::StorageFailed,
                           "cannot write into " + state + ": check permissions and space"};
    }
    return {};
}

// The first line of the file.
Outcome<Secrets> read_passphrase(const std::string& path) {
    auto file = ports::read_file(path, kPassphraseSizeMax);
    if (!file) return Failure{file.error().code, "--passphrase-file: " + file.error().detail};
    Buffer& bytes = *file;
    const auto end = std::ranges::find_if(bytes, [](auto c) { return c == '\n' || c == '\r'; });
    bytes.resize(static_cast<std::size_t>(end - bytes.begin()));
    if (bytes.empty())
        return Failure{Error::InvalidArgument,
                       "--passphrase-file " + path + ": its first line is empty"};
    return Secrets{std::move(bytes)};
}

Failure taken(const std::string& file) {
    return {Error::AlreadyExists, file + " is there already, and was left; choose another name"};
}

Outcome<std::unique_ptr<Database>> open_database(const std::string& path, Database::Mode mode) {
    auto database = Database::open(path, mode, seconds(10));
    if (!database) return to_failure(database.error());
    return *std::move(database);
}

// Into a temporary file, which then gets its name if nothing has it.
Outcome<> write_plain(const BackupCommand& command, const Keys& keys) {
    const fs::path path{command.file};
    const ports::File folder =
        ports::File{::open((path.has_parent_path() ? path.parent_path() : fs::path{"."}).c_str(),
                           O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const auto temporary = ports::create_temporary(folder, path.filename().string());
    if (!temporary)
        return Failure{temporary.error(),
                       "cannot write beside " + command.file + ": check permissions and space"};
    const std::string name = command.file + ".new";
    const auto filled = [&]() -> Outcome<> {
        SOTTO_TRY_ASSIGN(const auto database, open_database(name, Database::Mode::Open));
        const auto done =
            store_sqlite::fill_backup(command.state + "/" + kDatabaseName, keys, *database);
        return done ? Outcome<>{} : Outcome<>{to_failure(done.error())};
    }();
    const bool is_named =
        filled && temporary->sync() && ::link(name.c_str(), command.file.c_str()) == 0;
    const bool is_taken = filled && !is_named && fs::exists(command.file);
    ports::remove_temporary(folder, path.filename().string());
    if (!filled) return filled.error();
    if (is_taken) return taken(command.file);
    if (!is_named || ::fsync(folder.descriptor()) != 0)
        return Failure{Error::StorageFailed,
                       "cannot write " + command.file + ": check permissions and space"};
    return {};
}

// The whole backup in memory.
Outcome<Secrets> make_content(const BackupCommand& command, const Keys& keys) {
    SOTTO_TRY_ASSIGN(const auto database, open_database("", Database::Mode::InMemory));
    const auto filled =
        store_sqlite::fill_backup(command.state + "/" + kDatabaseName, keys, *database);
    if (!filled) return to_failure(filled.error());
    auto bytes = database->serialize();
    if (!bytes) return Failure{bytes.error(), "there is not enough memory for the backup"};
    return Secrets{*std::move(bytes)};
}

Outcome<> write_sealed(const BackupCommand& command, const Keys& keys, hal::Entropy& entropy) {
    SOTTO_TRY_ASSIGN(const Secrets passphrase, read_passphrase(command.passphrase_file));
    SOTTO_TRY_ASSIGN(const Secrets content, make_content(command, keys));
    if (content.view().size() > ports::kSealedContentMax)
        return Failure{Error::TooLarge,
                       "the database is too large for --passphrase-file; back it up without, and "
                       "encrypt the file with another program"};
    Buffer sealed(content.view().size() + ports::kSealedFileOverhead);
    const Status done =
        ports::seal_file(content.view(), passphrase.view(), ports::ScryptCost{}, entropy, sealed);
    if (!done)
        return Failure{done.error(),
                       "the backup cannot be sealed: memory or random numbers are missing"};
    const auto written = ports::create_file(command.file, sealed);
    if (!written && written.error().code == Error::AlreadyExists) return taken(command.file);
    return written;
}

// --- restore

Failure not_empty(const std::string& state) {
    return {Error::AlreadyExists,
            state + " is not empty, and nothing was changed; restore into an empty folder"};
}

// Whether there is nothing in the folder but what a restore leaves that was cut short.
bool is_free(const std::string& state) {
    const std::set<std::string> ours{kKeysName,
                                     "tls",
                                     "particle",
                                     std::string{kDatabaseName} + ".new",
                                     std::string{kDatabaseName} + ".new-journal",
                                     kSettingsFileName};
    std::error_code error;
    const fs::directory_iterator entries{state, error};
    return error || std::ranges::all_of(entries, [&](const fs::directory_entry& entry) {
               return ours.contains(entry.path().filename().string());
           });
}

Outcome<std::unique_ptr<Database>> open_sealed(const RestoreCommand& command, Bytes sealed) {
    SOTTO_TRY_ASSIGN(const Secrets passphrase, read_passphrase(command.passphrase_file));
    Secrets content{Buffer(sealed.size() - ports::kSealedFileOverhead)};
    const Status opened = ports::open_sealed_file(sealed, passphrase.view(), content.fill());
    if (!opened && opened.error() == Error::Unauthenticated)
        return Failure{opened.error(), "the passphrase is not the one of " + command.file};
    if (!opened)
        return Failure{opened.error(), command.file + " is damaged, or of another version"};
    SOTTO_TRY_ASSIGN(auto database, open_database("", Database::Mode::InMemory));
    if (!database->deserialize(content.view()))
        return Failure{Error::StorageFailed, "there is not enough memory to open " + command.file};
    return database;
}

bool is_sealed(const std::string& path) {
    const ports::File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<std::uint8_t, ports::kSealedFileMagic.size()> head{};
    const auto size = file.read_at(head, 0);
    return size && *size == head.size() && as_text(Bytes{head}) == ports::kSealedFileMagic;
}

Outcome<std::unique_ptr<Database>> open_backup(const RestoreCommand& command) {
    if (!fs::exists(command.file))
        return Failure{Error::NotFound, "there is no file " + command.file};
    if (is_sealed(command.file)) {
        if (command.passphrase_file.empty())
            return Failure{Error::Refused,
                           command.file +
                               " is sealed; name its passphrase's file with "
                               "--passphrase-file"};
        SOTTO_TRY_ASSIGN(const auto bytes, ports::read_file(command.file, kSealedSizeMax));
        if (!ports::check_sealed_file(bytes))
            return Failure{Error::Malformed, command.file + " is damaged, or of another version"};
        return open_sealed(command, bytes);
    }
    return open_database(command.file, Database::Mode::OpenToRead);
}

// Writes the key, unless it is there since a restore that was cut short.
Outcome<> put_key(const std::string& state, const keystore::Identity& identity) {
    SOTTO_TRY_ASSIGN(ports::FileStorage keys, ports::FileStorage::open(state + "/" + kKeysName));
    const auto known = keystore::load_identity(keys);
    const bool is_ours = known && equal(known->credential, identity.credential);
    if (is_ours) return {};
    if (known || known.error() != Error::NotFound) return not_empty(state);
    if (keystore::store_identity(keys, identity)) return {};
    return Failure{Error::StorageFailed,
                   "cannot write into " + state + ": check permissions and space"};
}

}  // namespace

Outcome<> backup(const BackupCommand& command, hal::Entropy& entropy) {
    std::error_code none;
    if (fs::exists(fs::symlink_status(command.file, none))) return taken(command.file);
    if (!fs::exists(command.state + "/" + kDatabaseName))
        return Failure{Error::NotFound, "there is no cloud in " + command.state};
    SOTTO_TRY_ASSIGN(Keys keys, read_keys(command.state));
    const auto done = command.passphrase_file.empty() ? write_plain(command, keys)
                                                      : write_sealed(command, keys, entropy);
    wipe_all(keys);
    return done;
}

Outcome<> restore(const RestoreCommand& command) {
    const std::string& state = command.state;
    if (!is_free(state)) return not_empty(state);
    SOTTO_TRY_ASSIGN(const auto database, open_backup(command));
    SOTTO_TRY_ASSIGN(const ports::File folder, ports::open_private_folder(state));
    const std::string path = state + "/" + kDatabaseName;
    std::error_code ignored;
    for (const char* end : {".new", ".new-journal"}) fs::remove(path + end, ignored);
    auto restored = store_sqlite::restore_backup(*database, command.file, path + ".new");
    if (!restored) return to_failure(restored.error());
    Keys& keys = *restored;
    const auto identity = parse(keys[kIdentity]);
    auto put =
        identity
            ? put_key(state, *identity)
            : Outcome<>{Failure{identity.error(), "the key in " + command.file + " is damaged"}};
    if (put) put = put_key_files(state, keys);
    wipe_all(keys);
    if (!put) return put;
    // With this name the cloud is there.
    const ports::File written{::open((path + ".new").c_str(), O_RDONLY | O_CLOEXEC)};
    if (!written.sync() || !ports::put_in_place(folder, kDatabaseName))
        return Failure{Error::StorageFailed,
                       "cannot write into " + state + ": check permissions and space"};
    return {};
}

}  // namespace sotto::cloud::server
