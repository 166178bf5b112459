// SPDX-License-Identifier: Apache-2.0
#include "cloud/link/link_context.hpp"

#include "core/base/reader.hpp"
#include "core/base/secret.hpp"

namespace sotto::cloud::link {
namespace {

constexpr std::uint8_t kFormat = 1;  // first byte of the record
constexpr std::size_t kRecordCountMax = 8;
constexpr std::size_t kRecordSizeMax = 320;

void put_u16(std::vector<std::uint8_t>& out, std::size_t value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8));
    out.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace

LinkContext::~LinkContext() {
    for (auto& [id, bytes] : records_) wipe(bytes);
}

Result<LinkContext> LinkContext::parse(Bytes record) {
    Reader in{record};
    SOTTO_TRY_ASSIGN(const std::uint8_t format, in.u8());
    if (format != kFormat) return Error::Malformed;
    LinkContext context;
    SOTTO_TRY_ASSIGN(const Bytes credential, in.take(context.credential_.size()));
    std::copy(credential.begin(), credential.end(), context.credential_.begin());
    while (!in.rest().empty()) {
        SOTTO_TRY_ASSIGN(const std::uint16_t id, in.u16_be());
        SOTTO_TRY_ASSIGN(const std::uint16_t size, in.u16_be());
        if (size > kRecordSizeMax || context.records_.size() == kRecordCountMax)
            return Error::Malformed;
        SOTTO_TRY_ASSIGN(const Bytes bytes, in.take(size));
        const auto [place, is_new] =
            context.records_.try_emplace(hal::RecordId{id}, bytes.begin(), bytes.end());
        if (!is_new) return Error::Malformed;
    }
    return context;
}

std::vector<std::uint8_t> LinkContext::encode() const {
    std::vector<std::uint8_t> out;
    out.reserve(1 + credential_.size() + records_.size() * (4 + kRecordSizeMax));
    out.push_back(kFormat);
    out.insert(out.end(), credential_.begin(), credential_.end());
    for (const auto& [id, bytes] : records_) {
        put_u16(out, id.value());
        put_u16(out, bytes.size());
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}

Result<std::size_t> LinkContext::load(hal::RecordId id, MutBytes out) {
    const auto found = records_.find(id);
    if (found == records_.end()) return Error::NotFound;
    if (found->second.size() > out.size()) return Error::NoSpace;
    std::copy(found->second.begin(), found->second.end(), out.begin());
    return found->second.size();
}

Status LinkContext::store(hal::RecordId id, Bytes record) {
    if (record.size() > kRecordSizeMax) return Error::NoSpace;
    if (records_.size() == kRecordCountMax && !records_.contains(id)) return Error::NoSpace;
    std::vector<std::uint8_t>& place = records_[id];
    wipe(place);
    place.assign(record.begin(), record.end());
    has_changed_ = true;
    return {};
}

Status LinkContext::erase(hal::RecordId id) {
    const auto found = records_.find(id);
    if (found == records_.end()) return {};
    wipe(found->second);
    records_.erase(found);
    has_changed_ = true;
    return {};
}

}  // namespace sotto::cloud::link
