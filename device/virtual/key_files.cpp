// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/key_files.hpp"

#include "ports/linux/file.hpp"
#include "ports/openssl/key_file.hpp"

namespace sotto::device {
namespace {

constexpr std::size_t kFileSizeMax = 16'384;

Outcome<std::vector<std::uint8_t>> read(const std::string& path) {
    auto content = ports::read_file(path, kFileSizeMax);
    if (!content) return content.error().detail + ". Check the path";
    return *std::move(content);
}

Outcome<cose::Credential> read_credential(const std::string& path) {
    SOTTO_TRY_ASSIGN(const auto bytes, read(path));
    auto credential = cose::Credential::parse(bytes);
    if (!credential)
        return path +
               " holds no credential. It is an untagged CWT Claims Set with a P-256 key, in CBOR, "
               "of at most 192 bytes";
    return *std::move(credential);
}

Outcome<GivenIdentity> read_identity(const Settings& settings) {
    auto key = ports::load_private_key(settings.identity_file);
    if (!key) return settings.identity_file + ": " + std::string{to_string(key.error())};
    SOTTO_TRY_ASSIGN(const cose::Credential credential, read_credential(settings.credential_file));
    if (crypto::dh_public(*key).x != credential.public_key().x)
        return std::string{
            "the key of --identity is not the key of the credential in --cred. Name the two files "
            "that belong together"};
    return GivenIdentity{.private_key = *std::move(key), .credential = credential};
}

Outcome<ports::ContextFile> read_context(const std::string& path) {
    SOTTO_TRY_ASSIGN(const auto text, read(path));
    auto context = ports::parse_context_file(as_text(text));
    if (!context)
        return path + " cannot be used: " + context.error() + ". " +
               std::string{ports::kContextFileHelp};
    return *std::move(context);
}

}  // namespace

Outcome<KeyFiles> read_key_files(const Settings& settings) {
    KeyFiles files;
    if (!settings.identity_file.empty()) {
        SOTTO_TRY_ASSIGN(files.identity, read_identity(settings));
    }
    for (const std::string& path : settings.trust_files) {
        SOTTO_TRY_ASSIGN(const cose::Credential credential, read_credential(path));
        files.trusted.push_back(credential);
    }
    if (!settings.oscore_file.empty()) {
        SOTTO_TRY_ASSIGN(files.context, read_context(settings.oscore_file));
    }
    return files;
}

}  // namespace sotto::device
