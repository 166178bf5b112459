// SPDX-License-Identifier: Apache-2.0
// A server that says anything, and a link that takes when it likes. The input is a list of steps:
// kind (1 byte), size (1 byte), bytes. Under a crypto that changes nothing: every input is a frame
// that could have been sealed. What goes out keeps its bound and consists of whole frames, and a
// session that nobody answers ends.
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"
#include "device/particle/rig.hpp"

namespace {

using namespace sotto;                    // NOLINT(google-build-using-namespace)
using namespace sotto::device::particle;  // NOLINT(google-build-using-namespace)

class World {
  public:
    void run(Reader steps) {
        members_.on_call = [this] { (void)session_.publish("e", "called", now_); };
        if (!steps.empty() && (*steps.u8() & 1) != 0) connect();
        while (!steps.empty()) {
            const std::uint8_t kind = *steps.u8();
            const std::size_t size = steps.u8().value_or(std::uint8_t{0});
            step(kind, *steps.take(std::min(size, steps.size())));
            SOTTO_ASSERT(session_.output().size() <= kOutputSizeMax);
        }
        expect_end();
    }

  private:
    void connect() {
        session_.receive(Buffer(kNonceSize, 1), now_);
        session_.receive(right_answer(), now_);
        session_.receive(frame_of(kServerHello), now_);
        SOTTO_ASSERT(session_.is_connected());
    }
    void step(std::uint8_t kind, Bytes bytes) {
        switch (kind % 6) {
            case 0:
                return session_.receive(bytes, now_);
            case 1:
                return session_.receive(frame_of(bytes), now_);
            case 2:
                return take(std::min(bytes.size() * 8, session_.output().size()));
            case 3:
                now_ = now_ + milliseconds(std::int64_t{kind} * 50);
                return session_.on_time(now_);
            case 4:
                return (void)session_.publish(as_text(bytes.first(bytes.size() / 2)),
                                              as_text(bytes.subspan(bytes.size() / 2)),
                                              now_);
            default:
                return take(session_.output().size());
        }
    }
    // All that has been taken in the end is the key message and whole frames.
    void take(std::size_t size) {
        const Bytes output = session_.output().first(size);
        taken_.insert(taken_.end(), output.begin(), output.end());
        session_.take_output(size, now_);
        Bytes rest = taken_;
        if (!is_introduced_ && rest.size() >= kServerModulusSize) {
            is_introduced_ = true;
            rest = rest.subspan(kServerModulusSize);
        }
        while (is_introduced_ && rest.size() >= kSizeSize) {
            const auto frame = Channel::size_of_next(rest);
            SOTTO_ASSERT(frame && *frame > 0);
            if (rest.size() < kSizeSize + *frame) break;
            rest = rest.subspan(kSizeSize + *frame);
        }
        taken_ = Buffer(rest.begin(), rest.end());
    }
    void expect_end() {
        for (int i = 0; i < 8 && session_.ending() == Ending::None; ++i) {
            take(session_.output().size());
            now_ = now_ + kHandshakeTime;
            session_.on_time(now_);
        }
        SOTTO_ASSERT(session_.ending() != Ending::None);
    }

    Instant now_{1};
    NoCrypto crypto_;
    SomeMembers members_;
    Session session_{{.crypto = crypto_, .members = members_, .id = {}, .now = now_}};
    Buffer taken_;
    bool is_introduced_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World{}.run(Reader{{data, size}});
    return 0;
}
