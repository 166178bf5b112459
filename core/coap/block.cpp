// SPDX-License-Identifier: Apache-2.0
#include "core/coap/block.hpp"

namespace sotto::coap {

std::uint8_t block_exponent(std::size_t size) {
    SOTTO_ASSERT(size >= 16);
    std::uint8_t exponent = 0;
    while (exponent < kBlockExponentMax && std::size_t{32} << exponent <= size) ++exponent;
    return exponent;
}

Status find_block(const Options& options, OptionNumber number, std::optional<Block>& block) {
    block.reset();
    const auto value = options.find(number);
    if (!value) return {};
    SOTTO_TRY_ASSIGN(block, parse_block(*value));
    return {};
}

Result<std::optional<Block>> find_block(const Options& options, OptionNumber number) {
    std::optional<Block> block;
    SOTTO_TRY(find_block(options, number, block));
    return block;
}

Block block_at(std::size_t offset, std::size_t size, std::uint8_t exponent) {
    const std::size_t block_size = std::size_t{16} << exponent;
    SOTTO_ASSERT(offset % block_size == 0);
    return {.number = static_cast<std::uint32_t>(offset / block_size),
            .has_more = size > offset + block_size,
            .size_exponent = exponent};
}

Status IncomingBody::check(const Block& block, Bytes payload) const {
    // RFC 7959 §2.2: all but the last are exactly as large as they say.
    if (payload.size() > block.size()) return Error::Malformed;
    if (block.has_more && payload.size() != block.size()) return Error::Malformed;
    const std::size_t offset = block.offset();
    if (offset != size_) {
        return offset == last_ && offset + payload.size() == size_ ? Error::AlreadyExists
                                                                   : Error::WrongState;
    }
    if (payload.size() > room_.size() - size_) return Error::TooLarge;
    return {};
}

void IncomingBody::append(const Block& block, Bytes payload) {
    SOTTO_ASSERT(check(block, payload).has_value());
    std::copy(payload.begin(), payload.end(), room_.begin() + size_);
    last_ = size_;
    size_ += static_cast<std::uint32_t>(payload.size());
}

void IncomingBody::resize(std::size_t size) {
    SOTTO_ASSERT(size <= room_.size());
    last_ = 0;
    size_ = static_cast<std::uint32_t>(size);
}

Status OutgoingBody::on_continue(const Block& answer) {
    // RFC 7959 §2.3: the number is that of the request, whatever size the server wants.
    if (answer.number != block().number) return Error::WrongState;
    offset_ += part_size();
    exponent_ = std::min(exponent_, answer.size_exponent);
    return {};
}

bool OutgoingBody::shrink(std::uint8_t exponent) {
    if (exponent >= exponent_) return false;
    exponent_ = exponent;
    offset_ = 0;
    return true;
}

}  // namespace sotto::coap
