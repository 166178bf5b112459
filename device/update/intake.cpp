// SPDX-License-Identifier: Apache-2.0
#include "device/update/intake.hpp"

#include <algorithm>

#include "core/base/reader.hpp"
#include "core/base/writer.hpp"

namespace sotto::update {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kWord = ports::Flash::kWordSize;
static_assert(kWord == kImageAlignment);
constexpr std::uint32_t kErased = 0xffff'ffff;
constexpr std::size_t kPublisherSize = 1 + 2 * crypto::kDhSize;
constexpr std::size_t kIntakeSize = 1 + 1 + 4 + 4 + crypto::kHashSize;

}  // namespace

Result<crypto::DhPublicKey> load_publisher(hal::Storage& storage) {
    std::array<std::uint8_t, kPublisherSize> record;
    SOTTO_TRY_ASSIGN(const std::size_t size, storage.load(kPublisherRecord, record));
    if (size != record.size() || record[0] != kFormat) return Error::Malformed;
    const Bytes point = Bytes{record}.subspan(1);
    return crypto::dh_import(point.first<crypto::kDhSize>(), point.last<crypto::kDhSize>());
}

Status store_publisher(hal::Storage& storage, const crypto::DhPublicKey& publisher) {
    std::array<std::uint8_t, kPublisherSize> record;
    Writer writer{record};
    writer.u8(kFormat).bytes(publisher.x).bytes(publisher.y);
    return storage.store(kPublisherRecord, record);
}

std::optional<Intake::Record> Intake::load() const {
    std::array<std::uint8_t, kIntakeSize> bytes;
    const auto size = setup_.storage.load(kIntakeRecord, bytes);
    if (!size || *size != bytes.size()) return std::nullopt;
    // Of the other slot: that image runs by now.
    if (bytes[0] != kFormat || bytes[1] != static_cast<std::uint8_t>(setup_.slot))
        return std::nullopt;
    Reader reader{Bytes{bytes}.subspan(2)};
    Record record;
    record.version = *reader.u32_be();
    record.image.size = *reader.u32_be();
    std::ranges::copy(reader.rest(), record.image.hash.begin());
    return record;
}

Status Intake::store(const Record& record) {
    std::array<std::uint8_t, kIntakeSize> bytes;
    Writer writer{bytes};
    writer.u8(kFormat).u8(static_cast<std::uint8_t>(setup_.slot));
    writer.u32_be(record.version).u32_be(record.image.size).bytes(record.image.hash);
    return setup_.storage.store(kIntakeRecord, bytes);
}

Status Intake::forget() {
    version_ = size_ = taken_ = 0;
    return setup_.storage.erase(kIntakeRecord);
}

void Intake::start() {
    const auto record = load();
    if (!record) return;
    version_ = record->version;
    size_ = record->image.size;
    taken_ = find_end();
}

// The last word that is not erased may have been cut short, and so may the one behind it, which
// then reads as erased: both are written (again), for whatever is read after this boot may read
// another way after the next.
std::uint32_t Intake::find_end() const {
    std::size_t end = size_;
    while (end > 0 && boot::word_at(setup_.target.bytes(), end - kWord) == kErased) end -= kWord;
    return static_cast<std::uint32_t>(end > 0 ? end - kWord : 0);
}

// The record says that the slot was erased for this image, so it goes first and comes last.
Status Intake::begin(std::uint32_t version, const Image& image) {
    if (image.size > setup_.target.bytes().size()) return Error::TooLarge;
    if (const auto record = load(); record && record->version == version && record->image == image)
        return {};
    SOTTO_TRY(forget());
    for (std::size_t at = 0; at < image.size; at += setup_.target.page_size())
        SOTTO_TRY(setup_.target.erase_page(at));
    SOTTO_TRY(store({.version = version, .image = image}));
    version_ = version;
    size_ = image.size;
    return {};
}

Status Intake::take(std::uint32_t offset, Bytes bytes) {
    if (size_ == 0) return Error::NotFound;
    if (offset % kWord != 0 || bytes.size() % kWord != 0) return Error::InvalidArgument;
    if (offset > size_ || bytes.size() > size_ - offset) return Error::InvalidArgument;
    if (offset > taken_) return Error::WrongState;
    while (taken_ - offset < bytes.size()) {
        SOTTO_TRY(setup_.target.write_word(taken_, boot::word_at(bytes, taken_ - offset)));
        taken_ += kWord;
    }
    return {};
}

Status Intake::check() {
    if (size_ == 0) return Error::NotFound;
    if (taken_ < size_) return Error::Truncated;
    const auto record = load();
    const Bytes image = setup_.target.bytes().first(size_);
    const bool is_whole = record && crypto::sha256(image) == record->image.hash;
    // The signature covers the version in the image too; a publisher who made a mistake is told.
    if (is_whole && boot::is_image(image, setup_.slot) &&
        boot::word_at(image, boot::kImageVersion) == version_)
        return {};
    SOTTO_TRY(forget());
    return Error::Malformed;
}

}  // namespace sotto::update
