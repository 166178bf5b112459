// SPDX-License-Identifier: Apache-2.0
// Long texts that show whether they are whole: every part of one says which it belongs to.
#pragma once

#include <string>
#include <string_view>

namespace sotto::sim {

inline constexpr std::size_t kLetterSizeMax = 8'192;

// The letter about a command: some thousand bytes, other ones for each command.
inline std::string letter_of(std::string_view command) {
    std::size_t seed = 17;
    for (const char c : command) seed = seed * 31 + static_cast<unsigned char>(c);
    const std::size_t size = 1'100 + seed % (kLetterSizeMax - 1'100);
    std::string letter{command};
    while (letter.size() < size) {
        letter += ' ';
        letter += command;
    }
    letter.resize(size);
    return letter;
}

// The command that a letter is about; nothing if it is not whole.
inline std::string command_of(std::string_view letter) {
    const std::string command{letter.substr(0, letter.find(' '))};
    return letter == letter_of(command) ? command : std::string{};
}

}  // namespace sotto::sim
