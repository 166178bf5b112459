// SPDX-License-Identifier: Apache-2.0
#include "core/session/excerpt.hpp"

#include <algorithm>
#include <cstring>

namespace sotto::session {

Excerpt& Excerpt::bytes_behind(Bytes head, Bytes bytes) {
    on_more(head, bytes);
    keep(bytes, size_ + head.size());  // before the head takes its place
    keep(head, size_);
    size_ += head.size() + bytes.size();
    return *this;
}

void Excerpt::keep(Bytes bytes, std::size_t position) {
    const std::size_t begin = std::max(position, offset_);
    const std::size_t end = std::min(position + bytes.size(), offset_ + out_.size());
    if (begin >= end) return;
    std::memmove(out_.data() + (begin - offset_), bytes.data() + (begin - position), end - begin);
}

Bytes Excerpt::part() const {
    if (size_ <= offset_) return {};
    return Bytes{out_}.first(std::min(out_.size(), size_ - offset_));
}

void TaggedExcerpt::on_more(Bytes head, Bytes bytes) {
    const std::size_t size = size_ + head.size() + bytes.size();
    if (!is_hashed_ && (offset_ > 0 || size > out_.size())) {
        is_hashed_ = true;
        hash_.update(part());
    }
    if (!is_hashed_) return;
    hash_.update(head);
    hash_.update(bytes);
}

EntityTag TaggedExcerpt::tag() {
    if (!is_hashed_) hash_.update(part());
    const crypto::Hash hash = hash_.finish();
    EntityTag tag;
    std::copy_n(hash.begin(), tag.size(), tag.begin());
    return tag;
}

}  // namespace sotto::session
