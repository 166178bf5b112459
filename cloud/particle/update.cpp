// SPDX-License-Identifier: Apache-2.0
#include "cloud/particle/update.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace sotto::cloud::particle {

std::string_view to_string(UpdateEnding ending) {
    constexpr std::array<std::string_view, kUpdateEndingCount> kNames{
        "it goes on",
        "done",
        "the device refuses to be updated",
        "the device did not become ready for it",
        "the device stopped answering",
        "the device refused a chunk again and again",
        "the device says that parts are missing, though they were sent",
        "the connection of the device ended"};
    return kNames[static_cast<std::size_t>(ending)];
}

Update::Update(Setup setup)
    : image_(std::move(setup.image)),
      chunk_size_(setup.chunk_size),
      is_fast_(setup.is_fast_wanted),
      deadline_(setup.now + kReadyTime) {
    SOTTO_ASSERT(image_ && !image_->empty() && image_->size() <= kImageSizeMax);
    size_ = image_->size();
    set_chunk_size(setup.chunk_size);
}

void Update::set_chunk_size(std::size_t size) {
    SOTTO_ASSERT(stage_ == Stage::Begin);
    chunk_size_ = std::clamp(size, kChunkSizeMin, kChunkSizeMax);
}

bool Update::wants_to_send() const {
    switch (stage_) {
        case Stage::Begin:
        case Stage::Finish:
            return true;
        case Stage::Chunks:
        case Stage::Filling: {
            const bool has_more = !again_.empty() || next_chunk_ < chunk_count();
            return has_more && under_way_.size() < (is_fast_ ? kFastChunksMax : 1);
        }
        case Stage::Beginning:
        case Stage::Finishing:
        case Stage::Over:
            break;
    }
    return false;
}

Encoded Update::send(std::uint16_t id, std::uint8_t token, Instant now) {
    SOTTO_ASSERT(wants_to_send());
    Sent sent{.id = id, .token = token};
    if (stage_ == Stage::Begin) {
        stage_ = Stage::Beginning;
        deadline_ = now + kReadyTime;
        under_way_.push_back(sent);
        return encode_update_begin(id,
                                   token,
                                   {.is_fast = is_fast_,
                                    .chunk_size = static_cast<std::uint16_t>(chunk_size_),
                                    .size = static_cast<std::uint32_t>(size_)});
    }
    if (stage_ == Stage::Finish) {
        stage_ = Stage::Finishing;
        deadline_ = now + kVerifyTime;
        under_way_.push_back(sent);
        return encode_update_done(id, token);
    }
    if (!again_.empty()) {
        sent.index = again_.front();
        again_.pop_front();
    } else {
        sent.index = static_cast<std::uint16_t>(next_chunk_++);
    }
    return send_chunk(sent, now);
}

// The last one is filled with zeros: devices expect all to be of the same size.
Encoded Update::send_chunk(const Sent& sent, Instant now) {
    std::array<std::uint8_t, kChunkSizeMax> padded{};
    const std::size_t offset = sent.index * chunk_size_;
    const Bytes data = Bytes{*image_}.subspan(offset, std::min(chunk_size_, size_ - offset));
    std::copy(data.begin(), data.end(), padded.begin());
    const Bytes whole = Bytes{padded}.first(chunk_size_);
    Chunk chunk{.crc = crc_of(whole), .data = whole};
    if (is_fast_) chunk.index = sent.index;
    deadline_ = now + kChunkTime;
    under_way_.push_back(sent);
    return encode_chunk(sent.id, sent.token, chunk);
}

bool Update::on_response(const Message& message, Instant now) {
    const bool is_separate =
        message.type == Type::Confirmable || message.type == Type::NonConfirmable;
    const auto sent = std::find_if(under_way_.begin(), under_way_.end(), [&](const Sent& known) {
        if (!message.token.empty())
            return message.token.size() == 1 && message.token[0] == known.token;
        return !is_separate && message.id == known.id;
    });
    if (sent == under_way_.end()) return false;
    switch (stage_) {
        case Stage::Beginning:
            on_begun(message, now);
            break;
        case Stage::Chunks:
        case Stage::Filling:
            on_chunk(sent, message, now);
            break;
        case Stage::Finishing:
            on_finished(message, now);
            break;
        case Stage::Begin:
        case Stage::Finish:
        case Stage::Over:
            break;
    }
    return true;
}

// An empty acknowledgement, and later whether it is ready, and for what.
void Update::on_begun(const Message& message, Instant now) {
    if (message.type == Type::Reset) return end(UpdateEnding::Refused);
    if (message.code == Code::Empty) return;
    if (!message.is_success()) return end(UpdateEnding::Refused);
    is_fast_ = is_fast_ && !message.payload.empty() && (message.payload[0] & 1U) != 0;
    under_way_.clear();
    is_ready_ = true;
    stage_ = Stage::Chunks;
    deadline_ = now + kChunkTime;
}

// Slow, an empty acknowledgement says only that it has come; fast, there is nothing more.
void Update::on_chunk(std::deque<Sent>::iterator sent, const Message& message, Instant now) {
    const bool is_refused =
        message.type == Type::Reset || (message.code != Code::Empty && !message.is_success());
    if (!is_refused && !is_fast_ && message.code == Code::Empty) return;
    const std::uint16_t index = sent->index;
    under_way_.erase(sent);
    if (is_refused) {
        if (++tries_ == kChunkTriesMax) return end(UpdateEnding::BadChunks);
        again_.push_back(index);
        return;
    }
    taken_ = std::min(std::max(taken_, (index + std::size_t{1}) * chunk_size_), size_);
    tries_ = 0;
    go_on(now);
}

// To the end, once there is nothing left to send and to hear of.
void Update::go_on(Instant now) {
    deadline_ = now + kChunkTime;
    const bool is_all_taken = under_way_.empty() && again_.empty() && next_chunk_ == chunk_count();
    if (stage_ == Stage::Chunks && is_all_taken) stage_ = Stage::Finish;
}

void Update::on_finished(const Message& message, Instant now) {
    if (message.type == Type::Reset) return end(UpdateEnding::Incomplete);
    if (message.code == Code::Empty) return;
    if (message.is_success()) return end(UpdateEnding::Success);
    if (!is_fast_) return end(UpdateEnding::Incomplete);
    under_way_.clear();
    stage_ = Stage::Filling;
    deadline_ = now + kChunkTime;
}

// A device repeats its list while it waits: what is on its way already is not sent twice.
void Update::on_missed(Bytes indices, Instant now) {
    const bool is_under_way = stage_ == Stage::Chunks || stage_ == Stage::Finish ||
                              stage_ == Stage::Finishing || stage_ == Stage::Filling;
    if (!is_fast_ || !is_under_way) return;
    if (++missed_ > kMissedListsMax) return end(UpdateEnding::Incomplete);
    if (stage_ == Stage::Finish) stage_ = Stage::Chunks;
    if (stage_ == Stage::Finishing) {
        under_way_.clear();
        stage_ = Stage::Filling;
    }
    for (Reader in{indices}; in.rest().size() >= 2;) {
        const std::uint16_t index = in.u16_be().value();
        const bool is_known =
            index >= next_chunk_ ||
            std::find(again_.begin(), again_.end(), index) != again_.end() ||
            std::any_of(under_way_.begin(), under_way_.end(), [index](const Sent& sent) {
                return sent.index == index;
            });
        if (!is_known) again_.push_back(index);
    }
    deadline_ = now + kChunkTime;
}

void Update::on_complete() {
    const bool is_expected = stage_ == Stage::Finishing || stage_ == Stage::Filling;
    if (is_fast_ && is_expected) end(UpdateEnding::Success);
}

void Update::on_time(Instant now) {
    if (stage_ == Stage::Over || now < deadline_) return;
    end(is_ready() ? UpdateEnding::Silent : UpdateEnding::Unready);
}

void Update::end(UpdateEnding ending) {
    if (stage_ == Stage::Over) return;
    if (ending == UpdateEnding::Success) taken_ = size_;
    stage_ = Stage::Over;
    ending_ = ending;
    under_way_.clear();
    again_.clear();
    image_.reset();
}

}  // namespace sotto::cloud::particle
