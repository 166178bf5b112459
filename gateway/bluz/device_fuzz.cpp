// SPDX-License-Identifier: Apache-2.0
// A bluz device, a server and an app that say anything at all. The input is a list of steps: what
// (1 byte), size (1 byte), bytes. Whatever comes: nothing crashes, what goes to the device is of
// the service and no more than it can hold, and a machine that has not let the device go still
// gives it a stream.
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"
#include "gateway/bluz/device.hpp"

namespace {

using namespace sotto;                 // NOLINT(google-build-using-namespace)
using namespace sotto::gateway::bluz;  // NOLINT(google-build-using-namespace)

constexpr std::uint8_t kEnd[] = {3, 4};

class Run {
  public:
    explicit Run(std::uint8_t flags)
        : device_(
              {.has_server = (flags & 1) != 0,
               .is_local_allowed = (flags & 2) != 0,
               .admitted = (flags & 4) != 0 ? std::vector{DeviceId{}} : std::vector<DeviceId>{}},
              now_),
          has_server_((flags & 5) == 1) {
        drain();
    }

    void play(Reader steps) {
        while (!steps.empty()) {
            const std::uint8_t what = *steps.u8();
            const std::size_t size = steps.u8().value_or(std::uint8_t{0});
            step(what, size, *steps.take(std::min(size, steps.size())));
            drain();
        }
    }

    void expect_good_end() {
        say({});  // ends what was under way
        for (int i = 0; i < 1'000 && has_server_ && !is_closed_ && !is_open_; ++i) {
            if (is_opening_)
                up();
            else
                say(std::array<std::uint8_t, 2>{0x01, 0x10});
            pass(seconds(1));
        }
        SOTTO_ASSERT(!has_server_ || is_closed_ || is_open_);
        if (is_closed_ || !is_open_) return;
        say(std::array<std::uint8_t, 3>{0x01, 0x00, 'x'});
        SOTTO_ASSERT(is_closed_ || !has_room_ || written_ > 0);
    }

  private:
    void step(std::uint8_t what, std::size_t size, Bytes bytes) {
        switch (what % 10) {
            case 0:
                return device_.on_value(bytes, now_);
            case 1:
                return say(bytes);
            case 2:
                return device_.on_stream_bytes(
                    bytes.first(std::min(bytes.size(), device_.stream_room())), now_);
            case 3:
                return up();
            case 4:
                if (is_opening_ || is_open_) down();
                return;
            case 5:
                return written();
            case 6:
                return device_.on_values_sent(std::exchange(in_air_, 0), now_);
            case 7:
                (void)device_.send_local(bytes, now_);
                return;
            case 8:
                return device_.on_value(kEnd, now_);
            default:
                return pass(Duration{static_cast<std::int64_t>(size * size)});
        }
    }

    void say(Bytes frame) {
        while (!frame.empty()) {
            const std::size_t size = std::min(kValueSizeMax, frame.size());
            device_.on_value(frame.first(size), now_);
            frame = frame.subspan(size);
        }
        device_.on_value(kEnd, now_);
        drain();
    }
    void up() {
        if (!std::exchange(is_opening_, false)) return;
        is_open_ = true;
        has_room_ = true;
        device_.on_stream_up(now_);
        drain();
    }
    void down() {
        is_opening_ = is_open_ = false;
        device_.on_stream_down(now_, Jitter{0});
        drain();
    }
    void written() {
        if (is_open_) device_.on_stream_written();
        has_room_ = true;
    }
    void pass(Duration duration) {
        now_ = now_ + duration;
        device_.on_values_sent(std::exchange(in_air_, 0), now_);
        device_.on_time(now_);
        drain();
    }

    void drain() {
        while (const auto output = device_.next_output())
            std::visit([this](const auto& item) { note(item); }, *output);
        SOTTO_ASSERT(device_.stream_room() <= kFromServerBytesMax);
        SOTTO_ASSERT(in_air_ <= kValuesInAirMax);
    }
    void note(const SendValue& item) {
        ++in_air_;
        const Bytes value = item.value();
        const bool begins_as_end = value.size() >= 2 && value[0] == 3 && value[1] == 4;
        SOTTO_ASSERT(!begins_as_end || value.size() == 2);
        const auto frame = assembler_.receive(value);
        SOTTO_ASSERT(frame.has_value());
        if (!*frame) return;
        SOTTO_ASSERT(!(*frame)->empty() && (*frame)->size() <= kStreamHeaderSize + kPieceSizeMax);
        const bool is_data = (**frame)[0] == 1 && (*frame)->size() > 2 && (**frame)[1] == 0;
        const bool is_id_request = (**frame)[0] == 2 && (*frame)->size() == 2;
        SOTTO_ASSERT(is_data || is_id_request || (**frame)[0] == 4);
    }
    void note(const OpenStream&) {
        SOTTO_ASSERT(!is_opening_ && !is_open_ && !is_closed_);
        is_opening_ = true;
    }
    void note(const CloseStream&) {
        SOTTO_ASSERT(is_opening_ || is_open_);
        const bool was_opening = is_opening_;
        is_opening_ = is_open_ = false;
        if (was_opening) device_.on_stream_down(now_, Jitter{0xffff});
    }
    void note(const WriteStream& item) {
        SOTTO_ASSERT(is_open_ && has_room_ && item.bytes.size() <= kToServerBytesMax);
        written_ += item.bytes.size();
        has_room_ = false;
    }
    void note(const LocalData& item) { SOTTO_ASSERT(item.bytes.size() <= kLocalSizeMax); }
    void note(const CloseLink&) { is_closed_ = true; }
    void note(const Introduced&) {}
    void note(const LocalRefused&) {}

    Instant now_{1};
    Device device_;
    bool has_server_;
    Assembler assembler_;
    bool is_opening_ = false;
    bool is_open_ = false;
    bool has_room_ = false;
    bool is_closed_ = false;
    std::size_t in_air_ = 0;
    std::size_t written_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Run run{data[0]};
    run.play(Reader{Bytes{data, size}.subspan(1)});
    run.expect_good_end();
    return 0;
}
