// SPDX-License-Identifier: Apache-2.0
// A device that answers an update with anything. The input: flags (1 byte: fast), size of the image
// (1 byte), then steps: kind (1 byte), size (1 byte), bytes. Whatever comes, no more is under way
// than may be, the update ends by its times, and what it takes for a success has been answered so.
#include "cloud/particle/update.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace {

using namespace sotto;                   // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::particle;  // NOLINT(google-build-using-namespace)

class World {
  public:
    World(bool is_fast, std::size_t size)
        : update_({.image = std::make_shared<const std::vector<std::uint8_t>>(size, 0x5a),
                   .chunk_size = 64,
                   .is_fast_wanted = is_fast,
                   .now = now_}) {}

    void run(Reader steps) {
        send();
        while (!steps.empty()) {
            const std::uint8_t kind = steps.u8().value();
            const auto size = steps.u8();
            if (!size) break;
            step(kind, steps.take(std::min<std::size_t>(*size, steps.size())).value());
            send();
        }
        const auto taken = update_.taken();
        SOTTO_ASSERT(taken <= update_.size());
        for (int i = 0; i < 3; ++i) {
            now_ = now_ + kReadyTime;
            update_.on_time(now_);
        }
        SOTTO_ASSERT(update_.ending() != UpdateEnding::None && !update_.wants_to_send());
    }

  private:
    void step(std::uint8_t kind, Bytes bytes) {
        switch (kind % 6) {
            case 0:
                return update_.on_missed(bytes, now_);
            case 1:
                return update_.on_complete();
            case 2:
                now_ = now_ + Duration{kind * 50};
                return update_.on_time(now_);
            case 3:
            case 4:
                return answer(kind, bytes);
            default:
                if (const auto message = parse_message(bytes))
                    (void)update_.on_response(*message, now_);
        }
    }
    // The last message that was sent, with any code.
    void answer(std::uint8_t kind, Bytes bytes) {
        Message message{.type = kind % 6 == 3 ? Type::Acknowledgement : Type::NonConfirmable,
                        .code = static_cast<Code>(bytes.empty() ? 0x44 : bytes[0]),
                        .id = id_,
                        .payload = bytes};
        const std::uint8_t token = static_cast<std::uint8_t>(id_);
        if ((kind & 0x80U) == 0) message.token = {&token, 1};
        (void)update_.on_response(message, now_);
    }
    void send() {
        std::size_t count = 0;
        while (update_.wants_to_send()) {
            ++id_;
            const Encoded message = update_.send(id_, static_cast<std::uint8_t>(id_), now_);
            SOTTO_ASSERT(message.size() <= kChunkSizeMin + 16 && ++count <= kFastChunksMax);
        }
    }

    Instant now_{1};
    std::uint16_t id_ = 0;
    Update update_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in{{data, size}};
    const auto flags = in.u8();
    const auto chunks = in.u8();
    if (!flags || !chunks) return 0;
    World{(*flags & 1U) != 0, *chunks * std::size_t{7} + 1}.run(in);
    return 0;
}
