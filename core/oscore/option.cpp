// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/option.hpp"

#include "core/base/sticky_reader.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint8_t kPivSizeMask = 0x07;
constexpr std::uint8_t kKidFlag = 0x08;
constexpr std::uint8_t kKidContextFlag = 0x10;
constexpr std::uint8_t kReservedFlags = 0xe0;

class ValueReader : public StickyReader {
  public:
    explicit ValueReader(Bytes value) : StickyReader(value) {}
    using StickyReader::take;
};

}  // namespace

Status parse_option(Bytes value, OptionValue& option) {
    if (value.empty()) return {};  // RFC 8613 §6.1: all flags are zero
    ValueReader in{value};
    const std::uint8_t flags = in.take(1)[0];
    const std::size_t piv_size = flags & kPivSizeMask;
    // RFC 8613 §2: with all flags zero "the option value SHALL be empty"
    in.require(flags != 0 && (flags & kReservedFlags) == 0 && piv_size <= kPivSizeMax);
    option.piv = in.take(piv_size);
    // RFC 8613 §5: "All leading bytes of value zero SHALL be removed"
    in.require(option.piv.size() <= 1 || option.piv[0] != 0);
    if ((flags & kKidContextFlag) != 0) {
        const Bytes size = in.take(1);
        option.kid_context = in.take(size.empty() ? std::size_t{0} : size[0]);
    }
    if ((flags & kKidFlag) != 0) {
        option.kid = in.rest();
    } else {
        in.require(in.empty());
    }
    return in.status();
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
