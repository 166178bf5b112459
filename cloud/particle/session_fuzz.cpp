// SPDX-License-Identifier: Apache-2.0
// A device that says anything, and requests to it in between. The input is a list of steps: kind
// (1 byte), size (1 byte), bytes. Under a cipher that changes nothing: every input is a frame that
// could have been sealed. Each request is answered once at the latest when the session ends.
#include <set>

#include "cloud/particle/session.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace {

using namespace sotto;                   // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::particle;  // NOLINT(google-build-using-namespace)

class NoCipher final : public Cipher {
  public:
    void encrypt(const AesKey&, BytesN<kBlockSize>, Bytes in, MutBytes out) override {
        std::copy(in.begin(), in.end(), out.begin());
    }
    void decrypt(const AesKey&, BytesN<kBlockSize>, Bytes in, MutBytes out) override {
        std::copy(in.begin(), in.end(), out.begin());
    }
};

class World {
  public:
    void run(Reader steps) {
        message(as_bytes(std::string_view("\x50\x02\0\x07\xb1h\xff\0\x01\0\x02\0\0\0\x06", 15)));
        while (!steps.empty()) {
            const std::uint8_t kind = steps.u8().value();
            const auto size = steps.u8();
            if (!size) break;
            step(kind, steps.take(std::min<std::size_t>(*size, steps.size())).value());
            settle();
        }
        session_.close();
        settle();
        SOTTO_ASSERT(waiting_.empty() && updates_ == 0);
    }

  private:
    void step(std::uint8_t kind, Bytes bytes) {
        switch (kind % 10) {
            case 0:
                return session_.receive(bytes, now_);
            case 1:
                return note(session_.call(as_text(bytes), as_text(bytes), now_));
            case 2:
                return note(session_.read(as_text(bytes), now_));
            case 3:
                return note(session_.ping(now_));
            case 4:
                return note(session_.signal(bytes.empty(), now_));
            case 5:
                return void(
                    session_.publish({.name = as_text(bytes), .data = as_text(bytes)}, now_));
            case 6:
                now_ = now_ + Duration{kind * 500};
                return session_.on_time(now_);
            case 9:
                if (session_.update(
                        std::make_shared<const std::vector<std::uint8_t>>(bytes.size() * 40), now_))
                    ++updates_;
                return;
            default:
                return message(bytes);
        }
    }
    void message(Bytes message) {
        std::vector<std::uint8_t> frame;
        writer_.write(cipher_, key_, message, frame);
        session_.receive(frame, now_);
    }
    void note(const Result<RequestId>& id) {
        if (id) SOTTO_ASSERT(waiting_.insert(*id).second);
    }
    void settle() {
        while (const auto event = session_.next_event()) {
            if (const auto* answered = std::get_if<Answered>(&*event))
                SOTTO_ASSERT(waiting_.erase(answered->request) == 1);
            if (std::holds_alternative<Updated>(*event)) SOTTO_ASSERT(--updates_ == 0);
        }
        SOTTO_ASSERT(session_.take_output().size() <= kOutputSizeMax);
        SOTTO_ASSERT(session_.subscriptions().size() <= kSubscriptionCountMax);
    }

    NoCipher cipher_;
    Credentials credentials_;
    AesKey key_;
    FrameWriter writer_{credentials_};
    Instant now_{1};
    Session session_{{.cipher = cipher_, .credentials = {}, .now = now_}};
    std::set<RequestId> waiting_;
    int updates_ = 0;  // that have not ended
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World{}.run(Reader{{data, size}});
    return 0;
}
