// SPDX-License-Identifier: Apache-2.0
#include "core/update/manifest.hpp"

#include <algorithm>

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"

namespace sotto::update {
namespace {

constexpr std::uint64_t kTagSign1 = 18;                              // RFC 9052 §4.2
constexpr std::array<std::uint8_t, 3> kProtected{0xa1, 0x01, 0x26};  // {1: -7}: ES256
constexpr std::string_view kContext = "Signature1";

constexpr std::uint8_t kFormat = 1;
enum Key : std::uint8_t { FormatKey = 1, HardwareKey = 2, VersionKey = 3, ImagesKey = 4 };
constexpr std::size_t kKeyCount = 4;

bool is_hardware(std::string_view name) {
    return !name.empty() && name.size() <= kHardwareSizeMax &&
           std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_valid(const Manifest& manifest) {
    return is_hardware(manifest.hardware) && manifest.version != 0 &&
           std::ranges::all_of(manifest.images, [](const Image& image) {
               return image.size != 0 && image.size % kImageAlignment == 0;
           });
}

struct Envelope {
    Bytes payload;
    Bytes signature;
};

Result<Envelope> read_envelope(Bytes bytes) {
    if (bytes.size() > kManifestSizeMax) return Error::TooLarge;
    cbor::Reader in{bytes};
    in.require(in.tag() == kTagSign1);
    in.require(in.array() == 4);
    in.require(equal(in.bytes(), kProtected), Error::Unsupported);
    in.require(in.map() == 0, Error::Unsupported);
    Result<Envelope> envelope{std::in_place};
    envelope->payload = in.bytes();
    envelope->signature = in.bytes();
    in.require(envelope->signature.size() == crypto::kSignatureSize);
    if (const Status read = in.finish(); !read) return read.error();
    return envelope;
}

std::uint32_t read_u32(cbor::Reader& in) {
    const std::uint64_t value = in.uint();
    in.require(value <= 0xffff'ffff);
    return static_cast<std::uint32_t>(value);
}

void read_key(cbor::Reader& in, Key key) { in.require(in.uint() == key); }

void read_image(cbor::Reader& in, Image& image) {
    in.require(in.array() == 2);
    image.size = read_u32(in);
    const Bytes hash = in.bytes();
    in.require(hash.size() == image.hash.size());
    if (in.status()) std::ranges::copy(hash, image.hash.begin());
}

Result<Manifest> read_manifest(Bytes payload) {
    cbor::Reader in{payload};
    const std::size_t count = in.map();
    read_key(in, FormatKey);
    in.require(in.uint() == kFormat, Error::Unsupported);
    in.require(count == kKeyCount);
    Result<Manifest> manifest{std::in_place};
    read_key(in, HardwareKey);
    manifest->hardware = in.text();
    read_key(in, VersionKey);
    manifest->version = read_u32(in);
    read_key(in, ImagesKey);
    in.require(in.array() == kImageCount);
    for (Image& image : manifest->images) read_image(in, image);
    in.require(is_valid(*manifest));
    if (const Status read = in.finish(); !read) return read.error();
    return manifest;
}

}  // namespace

Result<Bytes> encode_manifest(const Manifest& manifest, MutBytes out) {
    if (!is_valid(manifest)) return Error::InvalidArgument;
    cbor::Writer writer{out};
    writer.map(kKeyCount).uint(FormatKey).uint(kFormat);
    writer.uint(HardwareKey).text(manifest.hardware);
    writer.uint(VersionKey).uint(manifest.version);
    writer.uint(ImagesKey).array(kImageCount);
    for (const Image& image : manifest.images) writer.array(2).uint(image.size).bytes(image.hash);
    return writer.finish();
}

// RFC 9052 §4.4: ["Signature1", body_protected, external_aad, payload].
crypto::Hash hash_to_sign(Bytes manifest) {
    std::array<std::uint8_t, 32> front;
    cbor::Writer writer{front};
    writer.array(4).text(kContext).bytes(kProtected).bytes({});
    writer.head(cbor::Kind::Bytes, manifest.size());
    return crypto::sha256(writer.written(), manifest);
}

Result<Bytes> encode_signed(Bytes manifest, const crypto::Signature& signature, MutBytes out) {
    cbor::Writer writer{out};
    writer.tag(kTagSign1).array(4).bytes(kProtected).map(0).bytes(manifest).bytes(signature);
    return writer.finish();
}

Result<Manifest> open_manifest(Bytes signed_manifest, const crypto::DhPublicKey& publisher) {
    SOTTO_TRY_ASSIGN(const Envelope envelope, read_envelope(signed_manifest));
    const bool is_signed =
        crypto::verify_signature(publisher,
                                 hash_to_sign(envelope.payload),
                                 envelope.signature.first<crypto::kSignatureSize>());
    if (!is_signed) return Error::Unauthenticated;
    return read_manifest(envelope.payload);
}

Result<Manifest> parse_manifest(Bytes signed_manifest) {
    SOTTO_TRY_ASSIGN(const Envelope envelope, read_envelope(signed_manifest));
    return read_manifest(envelope.payload);
}

}  // namespace sotto::update
