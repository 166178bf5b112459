// SPDX-License-Identifier: Apache-2.0
// What the cloud keeps of its own session with one device, as a storage for the client: in memory,
// written out as one record (docs/formats/database.md). Whoever owns it saves the record before a
// message leaves that depends on it. Allocates.
#pragma once

#include <map>
#include <vector>

#include "cloud/model/ids.hpp"
#include "core/hal/storage.hpp"

namespace sotto::cloud::link {

class LinkContext final : public hal::Storage {
  public:
    // A device of which nothing is known.
    LinkContext() = default;
    ~LinkContext();
    LinkContext(LinkContext&&) = default;
    LinkContext& operator=(LinkContext&&) = default;

    // Error::Malformed, Truncated.
    static Result<LinkContext> parse(Bytes record);
    std::vector<std::uint8_t> encode() const;

    // Whose session this is; all zeros if there is none.
    const model::CredentialHash& credential() const { return credential_; }
    void set_credential(const model::CredentialHash& credential) { credential_ = credential; }

    // Whether anything has changed since it was asked for the last time.
    bool take_changed() { return std::exchange(has_changed_, false); }

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    Status store(hal::RecordId id, Bytes record) override;
    Status erase(hal::RecordId id) override;

  private:
    model::CredentialHash credential_{};
    std::map<hal::RecordId, std::vector<std::uint8_t>> records_;
    bool has_changed_ = false;
};

}  // namespace sotto::cloud::link
