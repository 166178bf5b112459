// SPDX-License-Identifier: Apache-2.0
// A central that says anything at all. The input is a list of steps: kind (1 byte), size (1 byte),
// bytes. What goes out is of the service, and the next central gets its stream whatever this one
// did.
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"
#include "device/bluz/link.hpp"
#include "device/particle/rig.hpp"

namespace {

using namespace sotto;                    // NOLINT(google-build-using-namespace)
using namespace sotto::device;            // NOLINT(google-build-using-namespace)
using namespace sotto::device::particle;  // NOLINT(google-build-using-namespace)

constexpr std::uint8_t kEnd[] = {3, 4};

class World {
  public:
    void run(Reader steps) {
        members_.on_call = [this] { (void)link_.publish("e", "called", now_); };
        connect();
        while (!steps.empty()) {
            const std::uint8_t kind = *steps.u8();
            const std::size_t size = steps.u8().value_or(std::uint8_t{0});
            step(kind, *steps.take(std::min(size, steps.size())));
        }
        connect();
    }

  private:
    void connect() {
        assembler_ = {};
        link_.on_subscribed(now_);
        now_ = now_ + bluz::kConnectDelay;
        drain();
        stream(Buffer(kNonceSize, 1));
        stream(right_answer());
        stream(frame_of(kServerHello));
        SOTTO_ASSERT(link_.is_connected() && link_.trouble().empty());
    }
    void step(std::uint8_t kind, Bytes bytes) {
        switch (kind % 7) {
            case 0:
                return link_.on_value(bytes, now_);
            case 1:
                return say(bytes);
            case 2:
                return stream(frame_of(bytes));
            case 3:
                now_ = now_ + milliseconds(std::int64_t{kind} * 50);
                return link_.on_time(now_);
            case 4:
                return (void)link_.publish("e", as_text(bytes), now_);
            case 5:
                link_.on_gone();
                return connect();
            default:
                return drain();
        }
    }
    void say(Bytes frame) {
        while (!frame.empty()) {
            const std::size_t size = std::min(air::bluz::kValueSizeMax, frame.size());
            link_.on_value(frame.first(size), now_);
            frame = frame.subspan(size);
        }
        link_.on_value(kEnd, now_);
    }
    void stream(Bytes bytes) {
        Buffer frame{1, 0};
        frame.insert(frame.end(), bytes.begin(), bytes.end());
        say(frame);
        drain();
    }
    void drain() {
        while (const auto value = link_.next_value(now_)) {
            const auto frame = assembler_.receive(*value);
            SOTTO_ASSERT(frame.has_value());
            const std::optional<Bytes>& whole = *frame;
            if (!whole) continue;
            SOTTO_ASSERT(!whole->empty() && whole->size() <= 512);
            SOTTO_ASSERT((*whole)[0] == 1 || whole->size() == 13);
        }
    }

    Instant now_{1};
    NoCrypto crypto_;
    SomeMembers members_;
    bluz::Link link_{{.crypto = crypto_, .members = members_, .id = {}}};
    air::bluz::Assembler assembler_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World{}.run(Reader{{data, size}});
    return 0;
}
