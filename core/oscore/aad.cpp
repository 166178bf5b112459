// SPDX-License-Identifier: Apache-2.0
#include "core/oscore/aad.hpp"

#include "core/cbor/writer.hpp"
#include "core/cose/algorithm.hpp"

namespace sotto::oscore {
namespace {

constexpr std::uint64_t kVersion = 1;

}  // namespace

Aad::Aad(Bytes request_kid, Bytes request_piv) {
    std::array<std::uint8_t, kAadArraySizeMax> array;
    cbor::Writer writer{array};
    writer.array(5).uint(kVersion).array(1).integer(cose::kAesCcm16_64_128);
    writer.bytes(request_kid).bytes(request_piv);
    writer.bytes({});  // no option is of Class I
    const auto external = writer.finish();
    const auto encoded = cose::encode_enc_structure(*external, bytes_);
    size_ = static_cast<std::uint8_t>(encoded->size());
}

}  // namespace sotto::oscore
