// SPDX-License-Identifier: Apache-2.0
// Takes a whole representation, however long it is, and keeps the part of it that one block shows.
// What is too long for one message needs no memory this way. No allocation.
#pragma once

#include <string_view>

#include "core/crypto/hash.hpp"

namespace sotto::session {

// Two representations that differ have different ones (RFC 7252 §5.10.6).
using EntityTag = std::array<std::uint8_t, 8>;

class Excerpt {
  public:
    // Keeps what comes to lie from `offset` on, as much as there is room for. `out` is borrowed.
    explicit Excerpt(MutBytes out, std::size_t offset = 0) : out_(out), offset_(offset) {}

    Excerpt& bytes(Bytes bytes) { return bytes_behind({}, bytes); }
    Excerpt& text(std::string_view text) { return bytes(as_bytes(text)); }
    // The same as both after each other; `bytes` may lie where the excerpt is kept.
    Excerpt& bytes_behind(Bytes head, Bytes bytes);

    // Of the whole.
    std::size_t size() const { return size_; }
    bool is_whole() const { return offset_ == 0 && size_ <= out_.size(); }
    Bytes part() const;
    std::size_t offset() const { return offset_; }

  protected:
    ~Excerpt() = default;
    // Both are about to be added.
    virtual void on_more(Bytes, Bytes) {}

    MutBytes out_;
    std::size_t offset_;
    std::size_t size_ = 0;

  private:
    void keep(Bytes bytes, std::size_t position);
};

// Where one message has to do.
class PlainExcerpt final : public Excerpt {
  public:
    using Excerpt::Excerpt;
};

// One that can name the whole.
class TaggedExcerpt final : public Excerpt {
  public:
    using Excerpt::Excerpt;
    // Of the whole; nothing may be added afterwards. What all fits is hashed only here.
    EntityTag tag();

  private:
    void on_more(Bytes head, Bytes bytes) override;

    crypto::Sha256 hash_;
    bool is_hashed_ = false;  // hash_ has taken all so far
};

}  // namespace sotto::session
