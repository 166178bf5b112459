// SPDX-License-Identifier: Apache-2.0
// Bodies of files and fields, multipart/form-data (RFC 7578), as clients send them: any order,
// names of files with slashes, no size of a part. Strict where it matters: a body without its last
// boundary was cut. No allocation but for names; parts point into the body.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace sotto::cloud::http {

// How many there may be in one body; then Error::TooLarge. And the header of one.
inline constexpr std::size_t kPartsMax = 64;
inline constexpr std::size_t kPartHeaderSizeMax = 2'048;

struct Part {
    std::string name{};
    std::string file_name{};  // as the client gave it; empty for a field
    bool is_file = false;
    std::string_view content{};
};

bool is_multipart(std::string_view content_type);
// Error::Truncated for a body that ends before its last boundary, Error::Malformed for anything
// else that is wrong.
Result<std::vector<Part>> parse_multipart(std::string_view content_type, std::string_view body);

}  // namespace sotto::cloud::http
