// SPDX-License-Identifier: Apache-2.0
#include "core/framing/cobs.hpp"

#include <cstring>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::framing {

// A code byte n stands before n - 1 bytes that are not 0 and for one 0 after them; 0xff for 254
// bytes and no 0. The 0 that the last block would stand for is not part of the bytes.
namespace {
constexpr std::size_t kBlockSizeMax = 254;
}

Result<Bytes> cobs_encode(MutBytes out, Bytes bytes) {
    Writer writer{out};
    while (true) {
        const auto zero = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
        const auto run = static_cast<std::size_t>(zero - bytes.begin());
        const std::size_t size = std::min(run, kBlockSizeMax);
        writer.u8(static_cast<std::uint8_t>(size + 1)).bytes(bytes.first(size));
        bytes = bytes.subspan(size);
        if (bytes.empty()) return writer.finish();
        if (size < kBlockSizeMax) bytes = bytes.subspan(1);  // the 0, which the code byte said
    }
}

Result<Bytes> cobs_decode(MutBytes out, Bytes code) {
    if (code.empty()) return Error::Malformed;
    Reader reader{code};
    std::size_t size = 0;
    while (true) {
        SOTTO_TRY_ASSIGN(const std::uint8_t block_code, reader.u8());
        if (block_code == 0) return Error::Malformed;
        const auto block = reader.take(block_code - 1U);
        if (!block) return Error::Malformed;
        if (std::find(block->begin(), block->end(), 0) != block->end()) return Error::Malformed;
        const std::size_t zeros = !reader.empty() && block_code != 0xff ? 1 : 0;
        if (block->size() + zeros > out.size() - size) return Error::NoSpace;
        if (!block->empty()) std::memmove(&out[size], block->data(), block->size());
        size += block->size();
        if (zeros != 0) out[size++] = 0;
        if (reader.empty()) return Bytes{out.first(size)};
    }
}

}  // namespace sotto::framing
