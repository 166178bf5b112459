// SPDX-License-Identifier: Apache-2.0
// The part of a session that updates its device.
#include <algorithm>
#include <charconv>
#include <utility>

#include "cloud/particle/session.hpp"

namespace sotto::cloud::particle {

// What old devices say of updates as soon as they are connected.
void Session::note_system_event(const SystemEvent& event) {
    const auto read = [&event](auto& value) {
        const char* const end = event.data.data() + event.data.size();
        auto number = value;
        const auto parsed = std::from_chars(event.data.data(), end, number);
        if (parsed.ec == std::errc{} && parsed.ptr == end && number > 0) value = number;
    };
    if (event.name == "spark/device/safemode") is_in_safe_mode_ = true;
    if (event.name == "spark/hardware/max_binary") read(image_size_max_);
    if (event.name == "spark/hardware/ota_chunk_size") read(chunk_size_);
}

Status Session::update(Image image, Instant now) {
    if (ending_ != Ending::None || !hello_) return Error::WrongState;
    if (update_) return Error::Busy;
    if (!image || image->empty()) return Error::InvalidArgument;
    if (image->size() > std::min<std::size_t>(image_size_max_, kImageSizeMax))
        return Error::TooLarge;
    update_ = std::make_unique<Update>(Update::Setup{.image = std::move(image),
                                                     .chunk_size = chunk_size_,
                                                     .is_fast_wanted = !is_small(),
                                                     .now = now});
    update_step_ = 0;
    pump(now);
    return {};
}

// What has become of it by what came just now.
void Session::look_at_update(Instant now) {
    if (restart_until_ != Instant{}) return;
    const std::size_t step =
        update_->is_ready() ? 1 + update_->taken() * kUpdateSteps / update_->size() : 0;
    if (step > update_step_) {
        update_step_ = step;
        emit(Updating{.taken = update_->taken(), .size = update_->size()});
    }
    const UpdateEnding ending = update_->ending();
    if (ending == UpdateEnding::None) return;
    emit(Updated{ending});
    if (ending == UpdateEnding::Success) {
        restart_until_ = now + kRestartTime;
        return;
    }
    update_.reset();
    if (ending != UpdateEnding::Refused) end(Ending::UpdateFailed);
}

// It begins when the device has nothing else to do. False if the window is shut.
bool Session::pump_update(Instant now) {
    if (!requests_.empty()) return true;
    while (ending_ == Ending::None && update_->wants_to_send()) {
        constexpr std::size_t kBeginSize = 20;
        const bool is_first = !update_->is_ready();
        if (is_first && !has_window(frame_size(kBeginSize))) return false;
        if (is_first) update_->set_chunk_size(chunk_size_);
        token_ = next_token();
        const Encoded message = update_->send(++id_, token_, now);
        sent_ += frame_size(message.size());
        send(message);
    }
    return true;
}

}  // namespace sotto::cloud::particle
