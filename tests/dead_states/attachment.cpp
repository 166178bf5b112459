// SPDX-License-Identifier: Apache-2.0
// The cloud's own sessions with devices: it asks a real device to prove itself, over links that may
// do anything, with a store that may fail.
#include "cloud/link/attachments.hpp"
#include "core/session/device_test.hpp"
#include "tests/dead_states/part.hpp"

namespace sotto::dead_states {
namespace {

using namespace cloud::link;  // NOLINT(google-build-using-namespace)
using session::Device;
using session::Message;
using session::Party;
using testing::MemoryStorage;
using testing::SeededEntropy;

constexpr session::Channel kCloudLabel{.label = 1};

struct Parties {
    SeededEntropy entropy{1};
    Party device = Party::make("lamp-1", entropy);
    Party other = Party::make("lamp-2", entropy);
    Party owner = Party::make("phone-1", entropy);
    Party cloud = Party::make("cloud", entropy);
};

const Parties& parties() {
    static const Parties made;
    return made;
}

// A device whose owner chose the cloud.
void assign(MemoryStorage& storage) {
    keystore::DeviceRoot root;
    root.epoch = 1;
    root.generation = 1;
    root.owner_state = keystore::OwnerState::Owned;
    root.owner = keystore::CredentialBytes{parties().owner.credential.bytes()};
    require(keystore::store_root(storage, root).has_value(), "no root");
    keystore::CloudRecord record;
    record.epoch = 1;
    record.version = 1;
    record.address = FixedBytes<keystore::kAddressSizeMax>{as_bytes("cloud:1")};
    record.credential_hash = parties().cloud.credential.hash();
    require(keystore::store_cloud(storage, record).has_value(), "no cloud");
}

class AttachmentWorld final : public World {
  public:
    enum Start : std::size_t { New, Loading, Message2, Message4, Asking, Resuming, Attached };

    explicit AttachmentWorld(std::size_t start) {
        assign(storage_);
        assign(other_storage_);
        boot_device();
        other_.emplace(other_storage_, device_entropy_, parties().other);
        boot_cloud();
        bring_to(start);
    }

    bool apply(std::size_t kind) override;
    void expect_alive() override;

    void bring_to(std::size_t start) {
        if (start == New) return;
        answers_load_ = start != Loading;
        begin();
        answers_load_ = true;
        if (start == Loading || start == Message2) return;
        answer();
        if (start == Message4) return;
        answer();
        if (start == Asking) return;
        answer();
        require(is_proved_, "a false start");
        if (start != Resuming) return;
        boot_cloud();
        begin();
    }

    // Links.
    void begin() {
        link_ = LinkNumber{link_.value() + 1};
        is_proved_ = false;
        attachments_->start(link_, id(), parties().device.credential.hash(), now_);
        run();
    }
    void again() {
        is_proved_ = false;
        attachments_->start(link_, id(), std::nullopt, now_);
        run();
    }
    // What a server does.
    void run() {
        for (int count = 0; auto action = attachments_->next_action(); ++count) {
            require(count < 1'000, "it has no end of actions");
            if (std::holds_alternative<Load>(*action)) {
                is_load_open_ = true;
                if (answers_load_) load();
            } else if (auto* save = std::get_if<Save>(&*action)) {
                unsaved_.push_back(std::move(save->record));
                if (saves_) saved(true);
            } else if (auto* send = std::get_if<Send>(&*action)) {
                require(unsaved_.empty(), "sent before its numbers were saved");
                sent_ = std::move(send->message);
            } else if (const auto* proved = std::get_if<Proved>(&*action)) {
                require(proved->credential == parties().device.credential.hash(), "a false proof");
                is_proved_ = is_proved_ || proved->link == link_;
            }
        }
    }
    // The store answers in order: what was to be saved before comes first.
    bool load() {
        if (!is_load_open_ || !unsaved_.empty()) return false;
        is_load_open_ = false;
        attachments_->on_loaded(id(), record_, now_);
        return true;
    }
    void saved(bool is_done) {
        if (is_done) record_ = unsaved_.front();
        unsaved_.erase(unsaved_.begin());
        attachments_->on_saved(id(), is_done, now_);
        if (answers_load_) load();
    }
    void hear_device() {
        device_->now = now_;
        const Bytes answer = device_->server->receive(kCloudLabel, sent_, now_, device_->out);
        if (heard_ != Message(answer.begin(), answer.end())) old_ = heard_;
        heard_.assign(answer.begin(), answer.end());
    }
    void deliver(LinkNumber link, const Message& message) {
        attachments_->on_message(link, id(), message, now_);
        run();
    }
    void answer() {
        hear_device();
        sent_.clear();
        if (!heard_.empty()) deliver(link_, heard_);
    }
    void pass(Duration duration) {
        now_ = now_ + duration;
        attachments_->on_time(now_);
        run();
    }
    // An answer that nobody vouches for.
    bool forge(coap::Code code, std::initializer_list<std::uint8_t> payload = {}) {
        const auto request = coap::parse_message(sent_);
        if (!request) return false;
        std::array<std::uint8_t, 64> buffer;
        coap::MessageWriter writer{buffer,
                                   {.type = coap::Type::Acknowledgement,
                                    .code = code,
                                    .id = request->header.id,
                                    .token = request->header.token}};
        const Message content{payload};
        const Bytes bytes = *writer.payload(content).finish();
        return deliver(link_, {bytes.begin(), bytes.end()}), true;
    }

    void boot_device() {
        storage_.reboot();
        device_.emplace(storage_, device_entropy_, parties().device, now_);
        require(device_->started, "the device does not start");
    }
    void boot_cloud() {
        sent_.clear();
        unsaved_.clear();
        is_load_open_ = false;
        attachments_.emplace(
            Attachments::Setup{.identity = parties().cloud.identity(), .entropy = cloud_entropy_});
    }
    static cloud::model::DeviceId id() {
        cloud::model::DeviceId id{};
        std::copy_n(parties().device.credential.hash().begin(), id.size(), id.begin());
        return id;
    }

    Instant now_{1'000'000};
    SeededEntropy device_entropy_{7};
    SeededEntropy cloud_entropy_{3};
    MemoryStorage storage_;
    MemoryStorage other_storage_;
    std::optional<Device> device_;
    std::optional<Device> other_;
    std::optional<Attachments> attachments_;
    LinkNumber link_{1};
    std::optional<std::vector<std::uint8_t>> record_;
    std::vector<std::vector<std::uint8_t>> unsaved_;
    bool answers_load_ = true;
    bool saves_ = true;
    bool is_load_open_ = false;
    bool is_proved_ = false;
    Message sent_;
    Message heard_;
    Message old_;
};

using W = AttachmentWorld;

Message changed(Message message) {
    message.back() ^= 1;
    return message;
}

constexpr std::array kKinds{
    Kind<W>{"attach", [](W& w) { return w.begin(), true; }},
    Kind<W>{"attach-again", [](W& w) { return w.again(), true; }},
    Kind<W>{"link-gone", [](W& w) { return w.attachments_->on_link_gone(w.link_), w.run(), true; }},
    Kind<W>{"old-link-gone",
            [](W& w) {
                w.attachments_->on_link_gone(LinkNumber{w.link_.value() - 1});
                return w.run(), true;
            }},
    // The store.
    Kind<W>{"loads-wait", [](W& w) { return std::exchange(w.answers_load_, false); }},
    Kind<W>{"load-done",
            [](W& w) {
                w.answers_load_ = true;
                return w.load() && (w.run(), true);
            }},
    Kind<W>{"load-fails",
            [](W& w) {
                w.record_.reset();
                w.answers_load_ = true;
                return w.load() && (w.run(), true);
            }},
    Kind<W>{"record-damaged",
            [](W& w) {
                if (!w.record_) return false;
                w.record_->resize(w.record_->size() / 2);
                return true;
            }},
    Kind<W>{"saves-wait", [](W& w) { return std::exchange(w.saves_, false); }},
    Kind<W>{"save-done",
            [](W& w) {
                w.saves_ = true;
                while (!w.unsaved_.empty()) w.saved(true);
                return w.run(), true;
            }},
    Kind<W>{"save-fails",
            [](W& w) {
                w.saves_ = true;
                while (!w.unsaved_.empty()) w.saved(false);
                return w.run(), true;
            }},
    // The line.
    Kind<W>{"good-answer", [](W& w) { return !w.sent_.empty() && (w.answer(), true); }},
    Kind<W>{"answer-lost", [](W& w) { return !w.sent_.empty() && (w.hear_device(), true); }},
    Kind<W>{"answer-corrupt",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.hear_device();
                return !w.heard_.empty() && (w.deliver(w.link_, changed(w.heard_)), true);
            }},
    Kind<W>{"request-corrupt",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.sent_ = changed(w.sent_);
                return w.answer(), true;
            }},
    Kind<W>{"last-answer-again",
            [](W& w) { return !w.heard_.empty() && (w.deliver(w.link_, w.heard_), true); }},
    Kind<W>{"old-answer",
            [](W& w) { return !w.old_.empty() && (w.deliver(w.link_, w.old_), true); }},
    Kind<W>{"answer-on-old-link",
            [](W& w) {
                if (w.sent_.empty()) return false;
                w.hear_device();
                return w.deliver(LinkNumber{w.link_.value() - 1}, w.heard_), true;
            }},
    Kind<W>{"answer-of-another-device",
            [](W& w) {
                if (w.sent_.empty()) return false;
                const Message answer = w.other_->receive(w.sent_, kCloudLabel);
                return !answer.empty() && (w.deliver(w.link_, answer), true);
            }},
    Kind<W>{"edhoc-error", [](W& w) { return w.forge(coap::Code::BadRequest, {0x01, 0x61, 'x'}); }},
    Kind<W>{"busy", [](W& w) { return w.forge(coap::Code::ServiceUnavailable); }},
    Kind<W>{"unprotected-4.01", [](W& w) { return w.forge(coap::Code::Unauthorized); }},
    Kind<W>{"unprotected-2.04", [](W& w) { return w.forge(coap::Code::Changed, {1, 2}); }},
    Kind<W>{"no-coap", [](W& w) { return w.deliver(w.link_, Message(20, 0xff)), true; }},
    Kind<W>{"nothing", [](W& w) { return w.deliver(w.link_, {}), true; }},
    // Time and boots.
    Kind<W>{"3-seconds", [](W& w) { return w.pass(seconds(3)), true; }},
    Kind<W>{"1-minute", [](W& w) { return w.pass(minutes(1)), true; }},
    Kind<W>{"31-days", [](W& w) { return w.pass(minutes(31 * 24 * 60)), true; }},
    Kind<W>{"cloud-boots", [](W& w) { return w.boot_cloud(), true; }},
    Kind<W>{"database-restored", [](W& w) { return std::exchange(w.record_, {}).has_value(); }},
    Kind<W>{"next-random-fails", [](W& w) { return w.cloud_entropy_.fail_call(0), true; }},
    Kind<W>{"device-boots", [](W& w) { return w.boot_device(), true; }},
    Kind<W>{"device-forgets",
            [](W& w) {
                w.storage_ = MemoryStorage{};
                assign(w.storage_);
                return w.boot_device(), true;
            }},
    Kind<W>{"device-write-fails", [](W& w) { return w.storage_.fail_write(0), true; }},
};

bool AttachmentWorld::apply(std::size_t kind) { return kKinds[kind].apply(*this); }

void AttachmentWorld::expect_alive() {
    storage_.reboot();
    cloud_entropy_ = SeededEntropy{11};
    saves_ = answers_load_ = true;
    while (!unsaved_.empty()) saved(true);
    load();
    run();
    for (const bool is_new_link : {true, false}) {
        if (is_new_link) begin();
        if (!is_new_link) again();
        for (int i = 0; i < 200 && !is_proved_; ++i) {
            if (sent_.empty()) {
                pass(seconds(1));
            } else {
                answer();
            }
        }
        require(is_proved_, "a good device is not attached");
    }
}

}  // namespace

Part attachment_part() {
    return make_part<AttachmentWorld>("attachment",
                                      {"new",
                                       "loading",
                                       "waits-for-message_2",
                                       "waits-for-message_4",
                                       "asks",
                                       "resumes",
                                       "attached"},
                                      std::span<const Kind<AttachmentWorld>>{kKinds});
}

}  // namespace sotto::dead_states
