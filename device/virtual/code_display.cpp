// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/code_display.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>

#include "core/keystore/pairing_code.hpp"
#include "ports/linux/file.hpp"

namespace sotto::device {
namespace {

std::string code_of(const session::Authority& authority, const cose::Credential& credential) {
    keystore::PairingCode code;
    std::copy_n(credential.hash().begin(),
                code.credential_hash_prefix.size(),
                code.credential_hash_prefix.begin());
    code.secret = authority.pairing_secret().clone();
    std::array<char, keystore::kPairingCodeSize> text{};
    return std::string{keystore::encode_pairing_code(code, text)};
}

}  // namespace

Outcome<> CodeDisplay::show(const session::Authority& authority,
                            const cose::Credential& credential) {
    const std::string code = code_of(authority, credential);
    if (authority.has_owner()) {
        log_.line("it has an owner; its code is shown again after a factory reset");
    } else {
        print(code);
    }
    return write_file(code);
}

void CodeDisplay::print(const std::string& code) {
    const auto lines = qr_lines(code, options_.style);
    SOTTO_ASSERT(lines.has_value());
    log_.line("it has no owner. Scan this, or type it: sotto pair CODE");
    for (const std::string& line : *lines) log_.line(line);
    log_.line(code);
}

Outcome<> CodeDisplay::write_file(const std::string& code) const {
    if (options_.file.empty()) return {};
    const auto path = std::filesystem::absolute(options_.file);
    const ports::File folder{
        ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.is_open() &&
        ports::replace_file(folder, path.filename().string(), as_bytes(code + "\n")))
        return {};
    return "the pairing code cannot be written to " + options_.file + ": " +
           std::generic_category().message(errno) + ". Check the path given with --code-file";
}

}  // namespace sotto::device
