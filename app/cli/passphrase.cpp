// SPDX-License-Identifier: Apache-2.0
#include "app/cli/passphrase.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <unistd.h>

#include "app/cli/hidden_typing.hpp"
#include "ports/linux/file.hpp"

namespace sotto::app {
namespace {

// A line without its end. By single bytes, so that no buffer of a library keeps a copy. What is too
// long for a passphrase comes back one byte too long.
WipedBytes read_line(int descriptor) {
    WipedBytes line{kPassphraseSizeMax + 1};
    std::size_t size = 0;
    for (std::uint8_t byte = 0; size < line.size();) {
        const ssize_t count = ::read(descriptor, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0 || byte == '\n') break;
        line.fill()[size++] = byte;
    }
    if (size > 0 && line.view()[size - 1] == '\r') --size;
    line.shrink(size);
    return line;
}

WipedBytes ask(const char* prompt) {
    if (::isatty(STDIN_FILENO) == 0) return read_line(STDIN_FILENO);
    std::cerr << prompt << std::flush;
    const HiddenTyping hidden;
    WipedBytes line = read_line(STDIN_FILENO);
    std::cerr << std::endl;
    return line;
}

WipedBytes copy_of(std::string_view text) {
    WipedBytes bytes{std::min(text.size(), kPassphraseSizeMax + 1)};
    std::copy_n(as_bytes(text).begin(), bytes.size(), bytes.fill().begin());
    return bytes;
}

Outcome<WipedBytes> find_passphrase(const std::string& file, PassphraseUse use) {
    if (!file.empty()) {
        const ports::File opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
        if (!opened.is_open())
            return Failure{
                Trouble::Usage, "cannot open " + file, "Check the path of --passphrase-file"};
        return read_line(opened.descriptor());
    }
    const char* variable = std::getenv("SOTTO_PASSPHRASE");  // NOLINT(concurrency-mt-unsafe)
    if (variable != nullptr) return copy_of(variable);
    WipedBytes passphrase = ask("Passphrase: ");
    if (use == PassphraseUse::Known || ::isatty(STDIN_FILENO) == 0) return passphrase;
    if (!ct_equal(passphrase.view(), ask("The same again: ").view()))
        return Failure{
            Trouble::Usage, "the two are not the same", "Nothing was written. Try again"};
    return passphrase;
}

}  // namespace

Outcome<WipedBytes> read_passphrase(const std::string& file, PassphraseUse use) {
    SOTTO_TRY_ASSIGN(WipedBytes passphrase, find_passphrase(file, use));
    if (passphrase.size() == 0)
        return Failure{Trouble::Usage,
                       "no passphrase was given",
                       "Give it on the terminal, in SOTTO_PASSPHRASE or with --passphrase-file"};
    if (passphrase.size() > kPassphraseSizeMax)
        return Failure{
            Trouble::Usage, "the passphrase is too long", "It has at most 1024 bytes, in one line"};
    if (use == PassphraseUse::New && passphrase.size() < kPassphraseSizeMin)
        return Failure{Trouble::Usage,
                       "the passphrase is too short",
                       "Take 8 bytes at least; several words that were drawn by lot are good"};
    return passphrase;
}

}  // namespace sotto::app
