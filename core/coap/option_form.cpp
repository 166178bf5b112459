// SPDX-License-Identifier: Apache-2.0
// The forms of the options that we know: RFC 7252 §5.10 Table 4, RFC 7641 §2, RFC 7959 §2.1 and
// §4, RFC 7967 §2, RFC 8613 §2, RFC 8768 §3, RFC 9175 §2.2.1 and §3.2.1.
#include "core/coap/option.hpp"

namespace sotto::coap {
namespace {

enum class Repeats : std::uint8_t { No, Yes };

struct Form {
    std::uint16_t number;
    std::uint16_t size_min : 1;
    std::uint16_t repeats : 1;
    std::uint16_t size_max : 11;
};

constexpr Form form(OptionNumber number,
                    std::uint16_t size_min,
                    std::uint16_t size_max,
                    Repeats repeats = Repeats::No) {
    return {.number = value_of(number),
            .size_min = size_min != 0,
            .repeats = repeats == Repeats::Yes,
            .size_max = static_cast<std::uint16_t>(size_max & 0x7ff)};
}

constexpr Form kForms[] = {
    form(kIfMatch, 0, 8, Repeats::Yes),
    form(kUriHost, 1, 255),
    form(kETag, 1, 8, Repeats::Yes),
    form(kIfNoneMatch, 0, 0),
    form(kObserve, 0, 3),
    form(kUriPort, 0, 2),
    form(kLocationPath, 0, 255, Repeats::Yes),
    form(kOscore, 0, 255),
    form(kUriPath, 0, 255, Repeats::Yes),
    form(kContentFormat, 0, 2),
    form(kMaxAge, 0, 4),
    form(kUriQuery, 0, 255, Repeats::Yes),
    form(kHopLimit, 1, 1),
    form(kAccept, 0, 2),
    form(kLocationQuery, 0, 255, Repeats::Yes),
    form(kBlock2, 0, 3),
    form(kBlock1, 0, 3),
    form(kSize2, 0, 4),
    form(kProxyUri, 1, 1'034),
    form(kProxyScheme, 1, 255),
    form(kSize1, 0, 4),
    form(kEcho, 1, 40),
    form(kNoResponse, 0, 1),
    form(kRequestTag, 0, 8, Repeats::Yes),
    form(kNotAfter, 0, 4),
    form(kTime, 0, 4),
};

const Form* find_form(OptionNumber number) {
    for (const Form& candidate : kForms) {
        if (candidate.number == value_of(number)) return &candidate;
    }
    return nullptr;
}

}  // namespace

bool has_valid_size(const Option& option) { return is_in_form(option, false); }

bool is_repeatable(OptionNumber number) {
    const Form* form = find_form(number);
    return form == nullptr || form->repeats != 0;
}

bool is_in_form(const Option& option, bool is_repeated) {
    const Form* form = find_form(option.number);
    if (form == nullptr) return true;
    if (is_repeated && form->repeats == 0) return false;
    return option.value.size() >= form->size_min && option.value.size() <= form->size_max;
}

}  // namespace sotto::coap
