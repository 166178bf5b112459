// SPDX-License-Identifier: Apache-2.0
// A gateway and an app that send anything at all. The input is a list of steps: who (1 byte), size
// (1 byte), bytes. After it a good gateway must still be let in.
#include <array>
#include <deque>
#include <functional>

#include "cloud/services/router.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace {

using namespace sotto;                   // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::services;  // NOLINT(google-build-using-namespace)

class World {
  public:
    void run(Reader steps) {
        while (!steps.empty()) {
            const std::uint8_t who = steps.u8().value();
            const auto size = steps.u8();
            if (!size) return;
            step(who, steps.take(std::min<std::size_t>(*size, steps.size())).value());
        }
    }
    bool lets_in_a_good_gateway() {
        if (gateway_) router_.on_gateway_closed(*gateway_, now_);
        sign_in();
        return gateway_.has_value();
    }

  private:
    void sign_in() {
        gateway_ = router_.on_gateway_connected(now_);
        std::array<std::uint8_t, framing::kUplinkBytesMax> scratch{};
        const auto hello =
            framing::uplink::encode_record(scratch, framing::uplink::Hello{.token = "t"});
        router_.on_gateway_bytes(*gateway_, *hello, now_);
        settle();
    }
    void step(std::uint8_t who, Bytes bytes) {
        if (who % 8 == 0 && gateway_) {
            router_.on_gateway_closed(*gateway_, now_);
            sign_in();
        }
        if (who % 8 == 1) {
            router_.on_app_closed(app_, now_);
            app_ = *router_.on_app_connected({}, now_);
        }
        if (who % 8 == 2) now_ = now_ + Duration{who * 100};
        if (who % 8 == 2) router_.on_time(now_);
        if (who % 8 == 3) router_.on_app_record(app_, bytes, now_);
        if (who % 8 > 3) router_.on_gateway_bytes(*gateway_, bytes, now_);
        settle();
    }
    void settle() {
        while (const auto peer = router_.next_ready()) router_.take_output(*peer, output_);
        while (const auto event = router_.next_device_event()) play(*event);
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    void play(const DeviceEvent& event) {
        const auto* start = std::get_if<StartAttach>(&event);
        if (start == nullptr) return;
        Proof proof{.device = start->device, .credential = {}, .claim = {}};
        std::copy(start->device.begin(), start->device.end(), proof.credential.begin());
        router_.on_attached(start->link, proof, now_);
    }

    Instant now_{1'000};
    std::deque<std::function<void()>> posted_;
    cloud::store::MemoryStore store_{[this](auto done) { posted_.push_back(std::move(done)); }};
    bool has_account_ = [this] {
        store_.create_account("a", now_, [](const auto&) {});
        store_.add_token({.hash = {},
                          .kind = cloud::model::TokenKind::Gateway,
                          .account = cloud::model::AccountId{1},
                          .name = "g"},
                         now_,
                         [](const auto&) {});
        return true;
    }();
    Router router_{store_,
                   {.credential = {}, .hash_token = [](auto) { return cloud::model::TokenHash{}; }},
                   now_};
    AppConnectionId app_ = *router_.on_app_connected({}, now_);
    Output output_;
    std::optional<GatewayId> gateway_;
    bool is_signed_in_ = (sign_in(), true);
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    World world;
    world.run(Reader{Bytes{data, size}});
    SOTTO_ASSERT(world.lets_in_a_good_gateway());
    return 0;
}
