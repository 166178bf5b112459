// SPDX-License-Identifier: Apache-2.0
// A request of any kind to REST: method and type of the body (1 byte), size of the target (1 byte),
// target, and body from the rest. The user's token is good, and he has a device. It is answered
// once, in ASCII, and nothing of the other user comes with it.
#include <algorithm>
#include <deque>
#include <functional>

#include "cloud/http/rest.hpp"
#include "cloud/http/sse.hpp"
#include "cloud/store/memory_store.hpp"
#include "core/base/assert.hpp"
#include "core/base/reader.hpp"

namespace {

using namespace sotto;               // NOLINT(google-build-using-namespace)
using namespace sotto::cloud;        // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::http;  // NOLINT(google-build-using-namespace)

constexpr model::AccountId kUser{1};
constexpr model::AccountId kOther{2};
constexpr model::DeviceId kMine{0xaa};
constexpr model::DeviceId kTheirs{0xbb};

class Device final : public services::OpenDevice {
  public:
    const services::DeviceAttributes& attributes() const override { return attributes_; }
    void call(const std::string&,
              const std::string& argument,
              services::DeviceDone<services::Value> done) override {
        ++asked;
        done(static_cast<std::int32_t>(argument.size()));
    }
    void read(const std::string& name, services::DeviceDone<services::Value> done) override {
        ++asked;
        done(services::Value{name});
    }
    void ping(services::DeviceDone<void> done) override {
        ++asked;
        done({});
    }
    void signal(bool, services::DeviceDone<void> done) override {
        ++asked;
        done({});
    }
    void update(services::FirmwarePtr firmware, services::UpdateSteps steps) override {
        ++asked;
        steps.on_progress(firmware->bytes.size() / 2);
        steps.on_end({});
    }
    void on_event(const services::Event& event) override {
        SOTTO_ASSERT(event.text.ends_with("\n\n"));
    }
    void on_replaced() override {}
    int asked = 0;

  private:
    services::DeviceAttributes attributes_;
};

class World {
  public:
    World() {
        for (const char* name : {"ann", "bob"}) store_.create_account(name, {}, [](const auto&) {});
        store_.add_token(
            {.hash = {}, .kind = model::TokenKind::Account, .account = kUser, .name = "t"},
            {},
            [](const auto&) {});
        store_.claim_open_device(kMine, kUser, {}, [](const auto&) {});
        store_.claim_open_device(kTheirs, kOther, {}, [](const auto&) {});
        for (const auto& [account, id] : {std::pair{kUser, 1'000}, std::pair{kOther, 2'000}}) {
            const model::ProductId product{static_cast<std::uint16_t>(id)};
            const model::DeviceId device = account == kUser ? kMine : kTheirs;
            store_.add_product({.id = product, .account = account, .slug = "p"},
                               [](const auto&) {});
            fleet_.put(model::ProductRecord{.id = product, .account = account, .slug = "p"});
            const model::ProductDevice member{.product = product, .device = device};
            store_.add_product_device(account, member, [](const auto&) {});
            fleet_.put(member);
        }
        devices_.on_connected(kMine, mine_);
        devices_.on_connected(kTheirs, theirs);
        settle();
    }
    std::optional<Answer> ask(const Request& request) {
        std::optional<Answer> answer;
        rest_.handle(request, [&answer](Answer given) {
            SOTTO_ASSERT(!answer);
            answer = std::move(given);
        });
        settle();
        return answer;
    }
    Device theirs;

  private:
    void settle() {
        while (!posted_.empty()) {
            const auto function = std::move(posted_.front());
            posted_.pop_front();
            function();
        }
    }
    std::deque<std::function<void()>> posted_;
    store::MemoryStore store_{[this](auto function) { posted_.push_back(std::move(function)); }};
    services::EventRing ring_{Instant{1}, render_event};
    services::OpenDevices devices_{
        ring_,
        {.load_owner =
             [](const model::DeviceId& device, auto done) {
                 done(services::OpenDevices::Owner{device == kMine ? kUser : kOther});
             },
         .on_claim_code = [](const auto&, const auto&) {},
         .save_traces = [](const auto&, const auto&) {},
         .now = [] { return Instant{1}; }}};
    hooks::Dispatcher dispatcher_;
    Device mine_;
    services::Updates updates_{devices_, {.now = [] { return Instant{1}; }, .later = [](auto) {}}};
    services::Fleet fleet_;
    services::Admission admission_{store_, fleet_, {.now = [] { return Instant{1}; }}};
    services::Rollouts rollouts_{
        store_,
        fleet_,
        devices_,
        updates_,
        {.now = [] { return Instant{1}; }, .draw = [](std::uint32_t) { return 0U; }}};
    Rest rest_{
        store_,
        devices_,
        ring_,
        {.hash_token = [](std::string_view) { return model::TokenHash{}; },
         .draw =
             [](MutBytes out) {
                 std::ranges::fill(out, std::uint8_t{7});
                 return Status{};
             },
         .check_password = [](const auto&, const auto&, const auto& done) { done(false); },
         .hash_password = [](const auto&, const auto& done) { done(std::string{"line"}); },
         .check_otp = [](auto&&...) { return std::nullopt; },
         .read_device_key = [](std::string_view pem) -> Result<std::vector<std::uint8_t>> {
             if (pem.empty()) return Error::Malformed;
             return std::vector<std::uint8_t>(pem.begin(), pem.end());
         },
         .is_sealed_connected = [](const model::DeviceId&) { return false; },
         .now = [] { return Instant{1}; },
         .updates = &updates_,
         .fleet = &fleet_,
         .admission = &admission_,
         .rollouts = &rollouts_,
         .read_firmware = [](Bytes) { return Result<FirmwareFacts, std::string>{FirmwareFacts{}}; },
         .hooks = &dispatcher_,
         .may_call = [](const std::string& host) { return host != "localhost"; }}};
};

constexpr const char* kTypes[] = {
    "application/json", "application/x-www-form-urlencoded", "", "multipart/form-data; boundary=x"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader in{Bytes{data, size}};
    const auto kind = in.u8();
    const auto target_size = in.u8();
    if (!kind || !target_size) return 0;
    const Bytes target = in.take(std::min<std::size_t>(*target_size, in.size())).value();
    const Bytes body = in.take(in.size()).value();
    World world;
    const auto answer = world.ask({.method = static_cast<Method>((*kind & 15U) % 7U),
                                   .target = std::string{as_text(target)},
                                   .authorization = "Bearer t",
                                   .content_type = kTypes[*kind >> 4U & 3U],
                                   .body = std::string{as_text(body)},
                                   .address = "::1"});
    SOTTO_ASSERT(answer.has_value());
    SOTTO_ASSERT(world.theirs.asked == 0);
    if (const auto* stream = std::get_if<OpenStream>(&*answer)) {
        SOTTO_ASSERT(stream->filter.owner == kUser);
        return 0;
    }
    const auto& reply = std::get<Reply>(*answer);
    SOTTO_ASSERT(reply.status >= 200 && reply.status < 600);
    if (reply.type != "application/json") return 0;
    SOTTO_ASSERT(std::ranges::all_of(reply.body, [](char c) { return c >= ' ' && c <= '~'; }));
    return 0;
}
