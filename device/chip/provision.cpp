// SPDX-License-Identifier: Apache-2.0
#include "device/chip/provision.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "core/cose/credential.hpp"
#include "core/framing/limits.hpp"
#include "core/keystore/pairing_code.hpp"
#include "core/keystore/private_key.hpp"
#include "core/keystore/records.hpp"
#include "core/session/authority.hpp"
#include "device/update/intake.hpp"
#include "ports/flash/flash_storage.hpp"

namespace sotto::chip {
namespace {

constexpr std::size_t kPageSize = 1'024;

// A part of the image, taken for flash.
class ImageFlash final : public ports::Flash {
  public:
    explicit ImageFlash(MutBytes area) : area_(area) {}

    Bytes bytes() const override { return area_; }
    std::size_t page_size() const override { return kPageSize; }
    Status write_word(std::size_t offset, std::uint32_t word) override {
        for (std::size_t i = 0; i < kWordSize; ++i)
            area_[offset + i] &= static_cast<std::uint8_t>(word >> (8U * i));
        return {};
    }
    Status erase_page(std::size_t offset) override {
        std::ranges::fill(area_.subspan(offset, kPageSize), std::uint8_t{0xff});
        return {};
    }

  private:
    MutBytes area_;
};

Result<std::string> random_subject(hal::Entropy& entropy) {
    std::array<std::uint8_t, 8> label{};
    SOTTO_TRY(entropy.fill(label));
    return "lamp-" + to_hex<std::string>(label);
}

Result<Provisioned> store(ports::FlashStorage& storage,
                          const std::string& subject,
                          hal::Entropy& entropy) {
    SOTTO_TRY_ASSIGN(crypto::DhPrivateKey key, keystore::draw_private_key(entropy));
    SOTTO_TRY_ASSIGN(const auto credential,
                     cose::Credential::create(subject, crypto::dh_public(key)));
    keystore::PairingCode code;
    SOTTO_TRY(entropy.fill(code.secret.fill()));
    std::ranges::copy(Bytes{credential.hash()}.first(code.credential_hash_prefix.size()),
                      code.credential_hash_prefix.begin());
    std::array<char, keystore::kPairingCodeSize> text{};
    Provisioned made{
        .id = to_hex<std::string>(Bytes{credential.hash()}.first(framing::kDeviceIdSize)),
        .code = std::string{keystore::encode_pairing_code(code, text)}};
    SOTTO_TRY(session::Authority::commission(storage, std::move(code.secret)));
    // The identity goes last: without it the chip says that it has none.
    SOTTO_TRY(keystore::store_identity(
        storage, {std::move(key), keystore::CredentialBytes{credential.bytes()}}));
    return made;
}

}  // namespace

Outcome<Provisioned> provision(std::vector<std::uint8_t>& image,
                               const std::string& subject,
                               const std::optional<crypto::DhPublicKey>& publisher,
                               hal::Entropy& entropy) {
    if (image.size() != kImageSize)
        return std::string{
            "the firmware is no image of 256 KB. Take sotto-firmware.bin, not the ELF file"};
    const MutBytes area = MutBytes{image}.subspan(kRecordsOffset);
    if (std::ranges::any_of(area, [](std::uint8_t byte) { return byte != 0xff; }))
        return std::string{
            "the image has records already: it is that of another chip. Take the firmware as it "
            "was built"};
    ImageFlash flash{area};
    ports::FlashStorage storage{flash};
    SOTTO_ASSERT(storage.open().has_value());
    auto name = subject.empty() ? random_subject(entropy) : Result<std::string>{subject};
    if (!name) return std::string{"the system gives no random numbers. Try again"};
    if (publisher && !update::store_publisher(storage, *publisher))
        return std::string{"the publisher's key cannot be stored"};
    auto made = store(storage, *name, entropy);
    if (!made && made.error() == Error::InvalidArgument)
        return "\"" + *name + "\" cannot be the subject. Take a shorter one";
    if (!made)
        return std::string{"the key cannot be made: "} + std::string{to_string(made.error())};
    return *std::move(made);
}

}  // namespace sotto::chip
