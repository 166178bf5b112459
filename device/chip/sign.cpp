// SPDX-License-Identifier: Apache-2.0
#include "device/chip/sign.hpp"

#include "core/update/file.hpp"
#include "device/boot/layout.hpp"
#include "ports/openssl/ecdsa.hpp"

namespace sotto::chip {
namespace {

constexpr std::array kSlots{boot::Slot::A, boot::Slot::B};
constexpr std::size_t kFileOverhead = 64;  // of CBOR heads

// The image knows its version: what runs can be asked, and cannot be mistaken.
void put_version(std::vector<std::uint8_t>& image, std::uint32_t version) {
    for (std::size_t i = 0; i < 4; ++i)
        image[boot::kImageVersion + i] = static_cast<std::uint8_t>(version >> (8U * i));
}

}  // namespace

Outcome<std::vector<std::uint8_t>> sign(Release release, const crypto::DhPrivateKey& publisher) {
    update::Manifest manifest{.hardware = release.hardware, .version = release.version};
    std::array<Bytes, update::kImageCount> images;
    std::size_t size = update::kManifestSizeMax + kFileOverhead;
    for (std::size_t i = 0; i < kSlots.size(); ++i) {
        std::vector<std::uint8_t>& image = release.images[i];
        while (image.size() % update::kImageAlignment != 0) image.push_back(0xff);
        if (!boot::is_image(image, kSlots[i]))
            return "what is given with --slot-" + std::string{"ab"[i]} +
                   " was not linked for that slot. Take sotto-firmware-a.bin and "
                   "sotto-firmware-b.bin";
        put_version(image, release.version);
        images[i] = image;
        manifest.images[i] = {.size = static_cast<std::uint32_t>(image.size()),
                              .hash = crypto::sha256(image)};
        size += image.size();
    }
    std::array<std::uint8_t, update::kManifestSizeMax> payload{};
    const auto encoded = update::encode_manifest(manifest, payload);
    if (!encoded)
        return std::string{
            "the hardware's name has 1 to 32 visible characters, and a version is above 0"};
    std::array<std::uint8_t, update::kManifestSizeMax> envelope{};
    const auto signature = ports::sign(publisher, update::hash_to_sign(*encoded));
    const auto signed_manifest = update::encode_signed(*encoded, signature, envelope);
    SOTTO_ASSERT(signed_manifest.has_value());
    std::vector<std::uint8_t> file(size);
    const auto written = update::encode_file(*signed_manifest, images, file);
    SOTTO_ASSERT(written.has_value());
    file.resize(written->size());
    return file;
}

}  // namespace sotto::chip
