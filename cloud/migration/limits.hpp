// SPDX-License-Identifier: Apache-2.0
// Every limit of what is taken from another server, in one table, with what happens at it.
#pragma once

#include <cstddef>

namespace sotto::cloud::migration {

inline constexpr std::size_t kCollectionSizeMax = 268'435'456;  // of a file; then it is refused
inline constexpr std::size_t kDocumentSizeMax = 1'048'576;      // of a line; then it is damaged
inline constexpr int kDocumentDepthMax = 32;                    // of its JSON; then it is damaged
inline constexpr std::size_t kDocumentsMax = 65'536;  // of a collection; then it is refused
// One damaged line of so many is left out; with more of them the whole collection is refused.
inline constexpr std::size_t kLinesPerDamagedLine = 10;
inline constexpr std::size_t kUserNameSizeMax = 64;    // then the user is left out
inline constexpr std::size_t kDeviceNameSizeMax = 64;  // then the device comes without
inline constexpr std::size_t kUsersMax = 1'024;        // their passwords take time; then refused

}  // namespace sotto::cloud::migration
