// SPDX-License-Identifier: Apache-2.0
// A part of a record of the app: its size in two bytes, and as many bytes
// (docs/formats/app_state.md).
#pragma once

#include <string>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::app {

// Precondition: at most 65,535 bytes, else the record is over its own limit anyhow.
inline void write_part(Writer& out, Bytes part) {
    out.u16_be(static_cast<std::uint16_t>(part.size())).bytes(part);
}

// Error::Truncated.
inline Result<Bytes> read_part(Reader& in) {
    SOTTO_TRY_ASSIGN(const std::uint16_t size, in.u16_be());
    return in.take(size);
}

inline Result<std::string> read_text(Reader& in) {
    SOTTO_TRY_ASSIGN(const Bytes part, read_part(in));
    return std::string{as_text(part)};
}

}  // namespace sotto::app
