// SPDX-License-Identifier: Apache-2.0
// What clients write into a request: paths, queries, forms (WHATWG URL §5.1) and JSON objects, all
// as texts by name. Strict: what cannot be read is an error, not an empty field. Allocates.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/services/text.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::http {

using Fields = std::map<std::string, std::string, std::less<>>;

// How many there may be in one request; then Error::TooLarge.
inline constexpr std::size_t kFieldsMax = 64;

// "a%2Fb" as "a/b"; in forms a plus is a space. Error::Malformed for half an escape.
Result<std::string> percent_decode(std::string_view text, bool is_form);

// The segments of a path, decoded: slashes that follow one another count once, and so does one at
// the end.
Result<std::vector<std::string>> segments_of(std::string_view path);

Result<Fields> parse_form(std::string_view text);
// The members of an object: texts as they are, numbers and truth values as JSON writes them; null
// as if it were not there; arrays and objects as their JSON. Error::Malformed for anything else.
Result<Fields> parse_json(std::string_view text);
// By its Content-Type; none of it and no body is no field. Error::Unsupported for other types.
Result<Fields> parse_body(std::string_view content_type, std::string_view body);

using services::base64_decode;
using services::base64_encode;
using services::to_iso;

// The user and the password of "Basic ..." (RFC 7617).
std::optional<std::pair<std::string, std::string>> basic_of(std::string_view authorization);

}  // namespace sotto::cloud::http
