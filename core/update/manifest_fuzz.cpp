// SPDX-License-Identifier: Apache-2.0
// Any bytes as a signed manifest and as an update file: no crash, and what is taken comes out
// again.
#include "core/update/file.hpp"

using namespace sotto;
using namespace sotto::update;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input{data, size};
    std::array<std::uint8_t, kManifestSizeMax> buffer{};
    if (const auto manifest = parse_manifest(input)) {
        const auto encoded = encode_manifest(*manifest, buffer);
        SOTTO_ASSERT(encoded.has_value());
        std::array<std::uint8_t, kManifestSizeMax> again{};
        crypto::Signature signature{};
        std::ranges::copy(input.last(signature.size()), signature.begin());
        SOTTO_ASSERT(equal(*encode_signed(*encoded, signature, again), input));
    }
    if (const auto file = parse_file(input))
        SOTTO_ASSERT(*parse_manifest(file->signed_manifest) == file->manifest);
    return 0;
}
