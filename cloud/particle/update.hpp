// SPDX-License-Identifier: Apache-2.0
// One update of a legacy device's firmware, from UpdateBegin to its end, on one connection.
// Sans-I/O and without ids of its own: the session asks what is to be sent, gives it an id and a
// token, and passes on what comes. The image is shared: an update holds no copy.
//
// Slow, as the oldest devices do it: one chunk under way, which the device takes or refuses. Fast,
// where device and cloud both want to: chunks with an index, kFastChunksMax of them under way, and
// in the end the device lists those that it has missed. The protocol knows no way to go on where a
// former connection ended: the device begins anew at UpdateBegin, and so does this.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>

#include "cloud/particle/image.hpp"
#include "cloud/particle/message.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::particle {

enum class UpdateEnding : std::uint8_t {
    None,
    Success,     // it has all of it, and will restart
    Refused,     // it wants no update
    Unready,     // it did not become ready in time
    Silent,      // no answer in time
    BadChunks,   // it refused a chunk again and again
    Incomplete,  // it says that parts are missing, and is not served by sending them
    Lost,        // its connection ended
};
inline constexpr int kUpdateEndingCount = static_cast<int>(UpdateEnding::Lost) + 1;
// A sentence for who wanted the update.
std::string_view to_string(UpdateEnding ending);

class Update {
  public:
    struct Setup {
        Image image{};  // of 1 to kImageSizeMax bytes
        std::size_t chunk_size = kChunkSizeDefault;
        bool is_fast_wanted = false;
        Instant now{};
    };
    explicit Update(Setup setup);

    // Before anything is sent: some devices say late what they want.
    void set_chunk_size(std::size_t size);
    // Whether there is something to send now.
    bool wants_to_send() const;
    // Precondition: wants_to_send().
    Encoded send(std::uint16_t id, std::uint8_t token, Instant now);

    // What the device answers. False if it is no answer to this.
    bool on_response(const Message& message, Instant now);
    // What it asks: chunks that it has missed, or the end of a fast update.
    void on_missed(Bytes indices, Instant now);
    void on_complete();
    void on_time(Instant now);
    void on_lost() { end(UpdateEnding::Lost); }

    Instant next_deadline() const { return deadline_; }
    UpdateEnding ending() const { return ending_; }
    // The device has said that it takes chunks.
    bool is_ready() const { return is_ready_; }
    // Whether everything that was sent has been answered.
    bool is_answered() const { return under_way_.empty(); }
    // Bytes of the image that the device has taken; no less than before.
    std::size_t taken() const { return taken_; }
    std::size_t size() const { return size_; }

  private:
    // With something to send in Begin, Chunks, Finish and Filling; waiting in Beginning and
    // Finishing.
    enum class Stage : std::uint8_t { Begin, Beginning, Chunks, Finish, Finishing, Filling, Over };
    struct Sent {
        std::uint16_t id = 0;
        std::uint8_t token = 0;
        std::uint16_t index = 0;  // of a chunk
    };

    std::size_t chunk_count() const { return (size_ + chunk_size_ - 1) / chunk_size_; }
    Encoded send_chunk(const Sent& sent, Instant now);
    void on_begun(const Message& message, Instant now);
    void on_chunk(std::deque<Sent>::iterator sent, const Message& message, Instant now);
    void on_finished(const Message& message, Instant now);
    void go_on(Instant now);
    void end(UpdateEnding ending);

    Image image_;  // until the end
    std::size_t size_ = 0;
    std::size_t chunk_size_;
    bool is_fast_;
    bool is_ready_ = false;
    Stage stage_ = Stage::Begin;
    UpdateEnding ending_ = UpdateEnding::None;
    std::size_t next_chunk_ = 0;
    std::size_t tries_ = 0;   // of this chunk
    std::size_t missed_ = 0;  // lists
    std::size_t taken_ = 0;
    std::deque<std::uint16_t> again_{};  // chunks
    std::deque<Sent> under_way_{};
    Instant deadline_;
};

}  // namespace sotto::cloud::particle
