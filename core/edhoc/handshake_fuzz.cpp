// SPDX-License-Identifier: Apache-2.0
// A whole handshake whose messages a byte script drops, repeats, cuts and changes. Whatever it
// does: nothing crashes, and both are only ever done with the same keys.
#include "core/base/reader.hpp"
#include "core/edhoc/peers_test.hpp"

namespace {

using namespace sotto::edhoc;
using sotto::Bytes;
using sotto::cose::CredentialForm;
using Message = std::vector<std::uint8_t>;

struct Keys {
    Party app{"app", 1};
    Party device{"device", 2};
};

const Keys& keys() {
    static const Keys made;
    return made;
}

class Script {
  public:
    explicit Script(Bytes bytes) : in_(bytes) {}
    std::uint8_t next() { return in_.u8().value_or(std::uint8_t{0}); }
    bool empty() const { return in_.empty(); }

    // What arrives of a message: 0 leaves it alone.
    Message deliver(Message message) {
        const std::uint8_t action = next();
        if (message.empty() || action == 0) return message;
        const std::size_t at = next() % message.size();
        if (action % 4 == 1) message.resize(at);
        if (action % 4 == 2) message[at] ^= next();
        if (action % 4 == 3) message.insert(message.begin() + static_cast<long>(at), next());
        return message;
    }

  private:
    sotto::Reader in_;
};

struct Handshake {
    CredentialForm form;
    SuiteLabel suite;
    Initiator initiator{keys().app.identity()};
    Responder responder{keys().device.identity()};
    std::array<std::uint8_t, kScratchSize> out{};
    std::array<std::uint8_t, kMessageSizeMax> scratch{};
    std::array<Message, 4> sent;

    void keep(std::size_t index, const sotto::Result<Bytes>& message) {
        if (message) sent[index].assign(message->begin(), message->end());
    }
    void message_1() {
        keep(0,
             initiator.compose_message_1(
                 ephemeral_key(3),
                 {.suites = {&suite, 1}, .c_i = connection_id(sotto::as_bytes("i")), .ead_1 = {}},
                 out));
    }
    void on_message_1(const Message& message) {
        if (!responder.on_message_1(message, {})) return;
        keep(
            1,
            responder.compose_message_2(
                ephemeral_key(4), {.c_r = connection_id(sotto::as_bytes("r")), .form = form}, out));
    }
    void on_message_2(const Message& message) {
        const auto claim = initiator.on_message_2(message, scratch, {});
        if (!claim || !initiator.authenticate(*claim, keys().device.credential)) return;
        keep(2, initiator.compose_message_3(form, {}, out));
    }
    void on_message_3(const Message& message) {
        const auto claim = responder.on_message_3(message, scratch, {});
        if (!claim || !responder.authenticate(*claim, keys().app.credential)) return;
        keep(3, responder.compose_message_4({}, out));
    }
    void on_message_4(const Message& message) {
        static_cast<void>(initiator.on_message_4(message, scratch, {}));
    }

    void expect_consistent() const {
        if (!initiator.is_done()) return;
        SOTTO_ASSERT(responder.is_done());
        const auto client = initiator.export_oscore();
        const auto server = responder.export_oscore();
        SOTTO_ASSERT(sotto::equal(client->master_secret.expose(), server->master_secret.expose()));
        SOTTO_ASSERT(client->sender_id == server->recipient_id);
        SOTTO_ASSERT(client->recipient_id == server->sender_id);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 256) return 0;
    Script script{{data, size}};
    const std::uint8_t choice = script.next();
    Handshake handshake{.form = choice % 2 == 0 ? CredentialForm::Kid : CredentialForm::Value,
                        .suite = choice % 4 < 2 ? 2 : 3,
                        .sent = {}};
    handshake.message_1();
    // 0 to 3 deliver that message (or nothing yet, if it was never sent) to whom it is for.
    for (int turn = 0; turn < 16 && !script.empty(); ++turn) {
        const std::size_t index = script.next() % 4;
        const Message message = script.deliver(handshake.sent[index]);
        if (index == 0) handshake.on_message_1(message);
        if (index == 1) handshake.on_message_2(message);
        if (index == 2) handshake.on_message_3(message);
        if (index == 3) handshake.on_message_4(message);
        handshake.expect_consistent();
    }
    return 0;
}
