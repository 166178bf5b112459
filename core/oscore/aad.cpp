// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/aad.hpp"

#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint8_t kVersion = 1;
// What the array has besides the content of request_kid and request_piv. Its size and theirs are
// heads of one byte.
constexpr std::size_t kFixedSize = 7;
static_assert(kAadArraySizeMax == kFixedSize + kIdSizeMax + kPivSizeMax && kAadArraySizeMax < 24);

}  // namespace

Aad::Aad(Bytes request_kid, Bytes request_piv) {
    cbor::Writer writer{bytes_};
    cose::begin_enc_structure(writer, kFixedSize + request_kid.size() + request_piv.size());
    writer.array(5).uint(kVersion).array(1).integer(cose::kAesCcm16_64_128);
    writer.bytes(request_kid).bytes(request_piv);
    writer.bytes({});  // no option is of Class I
    size_ = static_cast<std::uint8_t>(writer.written().size());
    SOTTO_ASSERT(size_ > 0);
}

}  // namespace sotto::oscore
