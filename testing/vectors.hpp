// SPDX-License-Identifier: Apache-2.0
// Test vectors from tests/vectors: text files of `name: value` lines, in blocks parted by empty
// lines; `#` begins a comment line. The first block carries `source:`, where the values come from.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sotto::testing {

class Vector {
  public:
    bool has(const std::string& name) const { return values_.contains(name); }
    // Each throws std::out_of_range, naming the missing value.
    const std::string& text(const std::string& name) const;
    std::vector<std::uint8_t> bytes(const std::string& name) const;  // hex, spaces allowed
    std::uint64_t number(const std::string& name) const;             // decimal

    std::map<std::string, std::string> values_;
};

// The blocks after the first of tests/vectors/<path>. Throws std::runtime_error if the file can't
// be read or names no source.
std::vector<Vector> load_vectors(const std::string& path);

std::vector<std::uint8_t> from_hex(const std::string& hex);
std::string to_hex(const std::vector<std::uint8_t>& bytes);

}  // namespace sotto::testing
