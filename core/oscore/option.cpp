// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/option.hpp"

#include "core/base/reader.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint8_t kPivSizeMask = 0x07;
constexpr std::uint8_t kKidFlag = 0x08;
constexpr std::uint8_t kKidContextFlag = 0x10;
constexpr std::uint8_t kReservedFlags = 0xe0;

}  // namespace

Result<OptionValue> parse_option(Bytes value) {
    if (value.empty()) return OptionValue{};  // RFC 8613 §6.1: all flags are zero
    Reader in{value};
    SOTTO_TRY_ASSIGN(const std::uint8_t flags, in.u8());
    if (flags == 0) return Error::Malformed;  // §2: then "the option value SHALL be empty"
    const std::size_t piv_size = flags & kPivSizeMask;
    if ((flags & kReservedFlags) != 0 || piv_size > kPivSizeMax) return Error::Malformed;

    OptionValue option;
    SOTTO_TRY_ASSIGN(option.piv, in.take(piv_size));
    if (piv_size > 1 && option.piv[0] == 0) return Error::Malformed;  // not in the fewest bytes
    if ((flags & kKidContextFlag) != 0) {
        SOTTO_TRY_ASSIGN(const std::uint8_t size, in.u8());
        SOTTO_TRY_ASSIGN(option.kid_context, in.take(size));
    }
    if ((flags & kKidFlag) != 0) option.kid = in.take_rest();
    SOTTO_TRY(in.finish());
    return option;
}

Result<Bytes> encode_option(const OptionValue& option, MutBytes out) {
    SOTTO_ASSERT(option.piv.size() <= kPivSizeMax);
    auto flags = static_cast<std::uint8_t>(option.piv.size());
    if (option.kid) flags |= kKidFlag;
    if (option.kid_context) flags |= kKidContextFlag;
    if (flags == 0) return Bytes{};
    Writer writer{out};
    writer.u8(flags).bytes(option.piv);
    if (option.kid_context) {
        writer.u8(static_cast<std::uint8_t>(option.kid_context->size())).bytes(*option.kid_context);
    }
    if (option.kid) writer.bytes(*option.kid);
    return writer.finish();
}

}  // namespace sotto::oscore
