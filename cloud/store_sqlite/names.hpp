// SPDX-License-Identifier: Apache-2.0
// Lists of names as one text in a column: none of them has the end of a line in it. Allocates.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sotto::cloud::store_sqlite {

inline std::string join_names(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : "\n") + name;
    return text;
}

inline std::vector<std::string> split_names(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::string_view name = text.substr(0, text.find('\n'));
        names.emplace_back(name);
        text.remove_prefix(std::min(name.size() + 1, text.size()));
    }
    return names;
}

}  // namespace sotto::cloud::store_sqlite
