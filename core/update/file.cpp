// SPDX-License-Identifier: Apache-2.0
#include "core/update/file.hpp"

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::update {

Result<File> parse_file(Bytes file) {
    cbor::Reader in{file};
    Result<File> parsed{std::in_place};
    parsed->signed_manifest = in.skip();
    SOTTO_TRY(in.status());
    SOTTO_TRY_ASSIGN(parsed->manifest, parse_manifest(parsed->signed_manifest));
    for (std::size_t i = 0; i < kImageCount; ++i) {
        const Image& image = parsed->manifest.images[i];
        parsed->images[i] = in.bytes();
        SOTTO_TRY(in.status());
        if (parsed->images[i].size() != image.size) return Error::Malformed;
        if (crypto::sha256(parsed->images[i]) != image.hash) return Error::Malformed;
    }
    SOTTO_TRY(in.finish());
    return parsed;
}

Result<Bytes> encode_file(Bytes signed_manifest,
                          const std::array<Bytes, kImageCount>& images,
                          MutBytes out) {
    cbor::Writer writer{out};
    writer.raw(signed_manifest);
    for (const Bytes image : images) writer.bytes(image);
    return writer.finish();
}

}  // namespace sotto::update
