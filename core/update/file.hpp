// SPDX-License-Identifier: Apache-2.0
// An update as its publisher hands it out (docs/formats/update.md): the signed manifest, and the
// images that it names. No allocation; views into the caller's bytes.
#pragma once

#include "core/update/manifest.hpp"

namespace sotto::update {

struct File {
    Manifest manifest;
    Bytes signed_manifest;
    std::array<Bytes, kImageCount> images;
};

// Its images are those of the manifest; the signature is not looked at, for only a device knows its
// publisher. Error::Malformed, Truncated, Unsupported, TooLarge.
Result<File> parse_file(Bytes file);
// Error::NoSpace.
Result<Bytes> encode_file(Bytes signed_manifest,
                          const std::array<Bytes, kImageCount>& images,
                          MutBytes out);

}  // namespace sotto::update
