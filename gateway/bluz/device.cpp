// SPDX-License-Identifier: Apache-2.0
#include "gateway/bluz/device.hpp"

#include <algorithm>
#include <utility>

#include "core/base/assert.hpp"

namespace sotto::gateway::bluz {

namespace {

using namespace air::bluz;  // NOLINT(google-build-using-namespace): what frames are made of

bool is_id_answer(Bytes frame) {
    return frame.size() == kServiceHeaderSize + framing::kDeviceIdSize && frame[0] == kInfo;
}

}  // namespace

Device::Device(Policy policy, Instant now)
    : policy_(std::move(policy)), since_(now), ask_id_at_(now), open_at_(now), latest_value_(now) {
    on_time(now);
}

std::optional<Output> Device::next_output() {
    if (outputs_.empty()) return std::nullopt;
    Output output = std::move(outputs_.front());
    outputs_.pop_front();
    return output;
}

void Device::on_value(Bytes value, Instant now) {
    if (is_closed_) return;
    const auto frame = assembler_.receive(value);
    if (!frame) return close(Close::Misbehaved, kStayAwayMisbehaved);  // [BLZ-1], [BLZ-4]
    // [BLZ-5]: an end of stream alone says nothing.
    if (*frame && !(*frame)->empty()) on_frame(**frame, now);
}

void Device::on_frame(Bytes frame, Instant now) {
    if (is_id_answer(frame)) return introduce(frame.subspan(kServiceHeaderSize), now);
    if (frame[0] == kCustom) return on_custom(frame.subspan(kServiceHeaderSize));
    // [BLZ-11]: old firmware puts a wrong header before its first frame.
    if (!has_wished_stream_) return wish_stream(now);
    if (frame[0] != kSocket || frame.size() < kStreamHeaderSize) return on_nonsense();
    on_socket_frame(frame[1] >> 4U, frame.subspan(kStreamHeaderSize), now);
}

void Device::on_socket_frame(std::uint8_t command, Bytes payload, Instant now) {
    switch (command) {
        case kData:
            return pass_on(payload);
        case kConnect:
            return wish_stream(now);
        case kDisconnect:
            return end_stream();
        default:
            return on_nonsense();
    }
}

void Device::on_nonsense() {
    if (++nonsense_ > kNonsenseMax) close(Close::Misbehaved, kStayAwayMisbehaved);  // [BLZ-7]
}

void Device::introduce(Bytes id, Instant now) {
    DeviceId shown{};
    std::copy(id.begin(), id.end(), shown.begin());
    if (id_ == shown) return;
    if (id_) return close(Close::Misbehaved, kStayAwayMisbehaved);  // [BLZ-9]
    const auto& admitted = policy_.admitted;
    if (!admitted.empty() && std::find(admitted.begin(), admitted.end(), shown) == admitted.end())
        return close(Close::NotAdmitted, kStayAwayNotAdmitted);
    id_ = shown;
    outputs_.push_back(Introduced{shown});
    open_when_due(now);
}

// [BLZ-20]: nothing of service 4 passes unless the operator says so.
void Device::on_custom(Bytes data) {
    if (policy_.is_local_allowed && id_ && data.size() <= kLocalSizeMax) {
        outputs_.push_back(LocalData{{data.begin(), data.end()}});
    } else if (!policy_.is_local_allowed && !std::exchange(is_refusal_told_, true)) {
        outputs_.push_back(LocalRefused{});
    }
}

// CONNECT. The address in it counts for nothing: the gateway knows where its server is.
void Device::wish_stream(Instant now) {
    has_wished_stream_ = true;
    if (!policy_.has_server || stream_ == Stream::Waiting || stream_ == Stream::Opening) return;
    // [BLZ-13]: the rest of a piece would reach the new stream.
    if (is_piece_under_way_) return close(Close::Restarted);
    open_at_ = stream_ == Stream::Open ? now + kReopenDelay : std::max(now, open_at_);
    end_stream();
    stream_ = Stream::Waiting;
    open_when_due(now);
}

void Device::end_stream() {
    if (stream_ == Stream::Open || stream_ == Stream::Opening) outputs_.push_back(CloseStream{});
    stream_ = Stream::None;
    give_up_opening_at_.reset();
    to_server_.clear();
    from_server_.clear();
    writing_ = 0;
}

void Device::open_when_due(Instant now) {
    const bool may_open = id_ || policy_.admitted.empty();
    if (stream_ != Stream::Waiting || now < open_at_ || !may_open) return;
    stream_ = Stream::Opening;
    open_at_ = now + kReopenDelay;
    give_up_opening_at_ = now + kOpenTimeMax;
    outputs_.push_back(OpenStream{});
}

void Device::on_stream_up(Instant now) {
    if (is_closed_ || stream_ != Stream::Opening) return;
    stream_ = Stream::Open;
    give_up_opening_at_.reset();
    backoff_.reset();
    cutter_ = {};
    pump_air(now);
}

std::size_t Device::stream_room() const {
    return stream_ == Stream::Open ? kFromServerBytesMax - from_server_.size() : 0;
}

void Device::on_stream_bytes(Bytes bytes, Instant now) {
    if (is_closed_ || stream_ != Stream::Open) return;
    SOTTO_ASSERT(bytes.size() <= stream_room());
    from_server_.insert(from_server_.end(), bytes.begin(), bytes.end());
    pump_air(now);
}

// [BLZ-12]: what comes before there is a stream belongs to none.
void Device::pass_on(Bytes payload) {
    if (stream_ != Stream::Open) return;
    // [BLZ-15]: a stream with a gap is worth nothing.
    if (to_server_.size() + writing_ + payload.size() > kToServerBytesMax)
        return close(Close::ServerStalled);
    to_server_.insert(to_server_.end(), payload.begin(), payload.end());
    write_stream();
}

void Device::write_stream() {
    if (writing_ > 0 || to_server_.empty()) return;
    writing_ = to_server_.size();
    outputs_.push_back(WriteStream{std::exchange(to_server_, {})});
}

void Device::on_stream_written() {
    if (stream_ != Stream::Open) return;
    writing_ = 0;
    write_stream();
}

void Device::on_stream_down(Instant now, Jitter jitter) {
    if (is_closed_ || stream_ == Stream::None || stream_ == Stream::Waiting) return;
    const bool was_open = stream_ == Stream::Open;
    stream_ = Stream::None;
    end_stream();
    if (was_open) return close(Close::StreamEnded);  // [BLZ-14]
    stream_ = Stream::Waiting;
    open_at_ = now + backoff_.next(jitter);
}

Status Device::send_local(Bytes data, Instant now) {
    if (is_closed_ || !policy_.is_local_allowed) return Error::Refused;
    if (data.empty()) return Error::InvalidArgument;
    if (data.size() > kLocalSizeMax) return Error::TooLarge;
    if (local_.size() >= kLocalQueueMax) return Error::Busy;
    local_.emplace_back(data.begin(), data.end());
    pump_air(now);
    return {};
}

void Device::on_values_sent(std::size_t count, Instant now) {
    if (is_closed_) return;
    in_air_ -= std::min(count, in_air_);
    latest_value_ = now;
    pump_air(now);
}

void Device::on_time(Instant now) {
    if (is_closed_) return;
    const bool is_introduced =
        policy_.admitted.empty() ? id_ || has_wished_stream_ : id_.has_value();
    if (!is_introduced && now >= since_ + kIntroductionTimeMax)
        return close(Close::NotIntroduced, kStayAwayMisbehaved);
    ask_id(now);
    if (give_up_opening_at_ && now >= *give_up_opening_at_) {
        give_up_opening_at_.reset();
        outputs_.push_back(CloseStream{});
    }
    open_when_due(now);
    pump_air(now);
}

// [BLZ-8]: more than once, for the rest of a frame of an earlier connection spoils the first one.
void Device::ask_id(Instant now) {
    if (id_ || id_asked_ >= kIdAskedMax || now < ask_id_at_) return;
    ++id_asked_;
    ask_id_at_ = now + kIdInterval;
    must_ask_id_ = true;
}

void Device::pump_air(Instant now) {
    while (in_air_ < kValuesInAirMax && (!packetizer_.is_idle() || begin_frame(now))) {
        const Bytes value = packetizer_.next();
        SendValue output{.size = value.size()};
        std::copy(value.begin(), value.end(), output.bytes.begin());
        outputs_.push_back(output);
        ++in_air_;
        latest_value_ = now;
        if (packetizer_.is_idle()) is_piece_under_way_ = false;
    }
}

bool Device::begin_frame(Instant now) {
    if (std::exchange(must_ask_id_, false)) {
        packetizer_.begin(kIdRequest, {});
        return true;
    }
    if (local_.empty() || is_stream_next_) {
        is_stream_next_ = false;
        if (begin_piece(now)) return true;
    }
    if (local_.empty()) return false;
    packetizer_.begin(kCustomHeader, local_.front());
    local_.pop_front();
    is_stream_next_ = true;
    return true;
}

bool Device::begin_piece(Instant now) {
    if (from_server_.empty()) return false;
    // [BLZ-10]: a device that has not read what it got loses what comes.
    if (in_air_ == 0 && now >= latest_value_ + kDrainTime) unread_ = 0;
    const std::size_t size = cutter_.take(from_server_, kPieceSizeMax - unread_);
    if (size == 0) return false;
    packetizer_.begin(kDataHeader, Bytes{from_server_}.first(size));
    from_server_.erase(from_server_.begin(),
                       from_server_.begin() + static_cast<std::ptrdiff_t>(size));
    unread_ += size;
    is_piece_under_way_ = true;
    return true;
}

void Device::close(Close why, std::optional<Duration> stay_away) {
    if (std::exchange(is_closed_, true)) return;
    end_stream();
    outputs_.push_back(CloseLink{why, stay_away});
}

}  // namespace sotto::gateway::bluz
