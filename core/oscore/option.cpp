// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/option.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint8_t kPivSizeMask = 0x07;
constexpr std::uint8_t kKidFlag = 0x08;
constexpr std::uint8_t kKidContextFlag = 0x10;
constexpr std::uint8_t kReservedFlags = 0xe0;

}  // namespace

Result<OptionValue> parse_option(Bytes value) {
    OptionValue option;
    if (value.empty()) return option;  // RFC 8613 §6.1: all flags are zero
    const std::uint8_t flags = value[0];
    const std::size_t piv_size = flags & kPivSizeMask;
    // RFC 8613 §2: with all flags zero "the option value SHALL be empty"
    if (flags == 0 || (flags & kReservedFlags) != 0 || piv_size > kPivSizeMax)
        return Error::Malformed;

    Bytes rest = value.subspan(1);
    if (rest.size() < piv_size) return Error::Truncated;
    option.piv = rest.first(piv_size);
    rest = rest.subspan(piv_size);
    // RFC 8613 §5: "All leading bytes of value zero SHALL be removed"
    if (piv_size > 1 && option.piv[0] == 0) return Error::Malformed;
    if ((flags & kKidContextFlag) != 0) {
        if (rest.empty() || rest.size() - 1 < rest[0]) return Error::Truncated;
        option.kid_context = rest.subspan(1, rest[0]);
        rest = rest.subspan(1 + option.kid_context->size());
    }
    if ((flags & kKidFlag) != 0) {
        option.kid = rest;
    } else if (!rest.empty()) {
        return Error::Malformed;
    }
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
