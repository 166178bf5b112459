// SPDX-License-Identifier: Apache-2.0
#include "testing/vectors.hpp"

#include <cctype>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "core/base/hex.hpp"

namespace sotto::testing {

std::vector<std::uint8_t> from_hex(const std::string& hex) {
    std::string digits;
    for (const char c : hex) {
        if (std::isspace(static_cast<unsigned char>(c)) == 0) digits.push_back(c);
    }
    if (digits.size() % 2 != 0) throw std::runtime_error{"odd number of hex digits"};
    auto bytes = sotto::from_hex<std::vector<std::uint8_t>>(digits);
    if (!bytes) throw std::runtime_error{"not a hex digit"};
    return *std::move(bytes);
}

std::string to_hex(const std::vector<std::uint8_t>& bytes) {
    return sotto::to_hex<std::string>(bytes);
}

const std::string& Vector::text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) throw std::out_of_range{"vector without " + name};
    return found->second;
}

std::vector<std::uint8_t> Vector::bytes(const std::string& name) const {
    return from_hex(text(name));
}

std::uint64_t Vector::number(const std::string& name) const { return std::stoull(text(name)); }

std::vector<Vector> load_vectors(const std::string& path) {
    std::ifstream file{std::string{SOTTO_VECTOR_DIR} + "/" + path};
    if (!file) throw std::runtime_error{"cannot read tests/vectors/" + path};
    std::vector<Vector> blocks(1);
    std::string line;
    while (std::getline(file, line)) {
        if (line.starts_with('#')) continue;
        if (line.empty()) {
            if (!blocks.back().values_.empty()) blocks.emplace_back();
            continue;
        }
        const auto colon = line.find(':');
        if (colon == std::string::npos) throw std::runtime_error{path + ": no colon in: " + line};
        const auto start = line.find_first_not_of(' ', colon + 1);
        blocks.back().values_[line.substr(0, colon)] =
            start == std::string::npos ? "" : line.substr(start);
    }
    if (blocks.back().values_.empty()) blocks.pop_back();
    if (blocks.empty() || !blocks.front().has("source"))
        throw std::runtime_error{path + " names no source"};
    blocks.erase(blocks.begin());
    return blocks;
}

}  // namespace sotto::testing
