// SPDX-License-Identifier: Apache-2.0
// Requests under an OSCORE context (RFC 8613 §8.1, §8.4) to any server, with Echo (RFC 9175 §2),
// Observe (RFC 7641) and both kinds of blocks (RFC 7959). Allocates; blocks as CoapExchange does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/client/coap_exchange.hpp"
#include "core/coap/block.hpp"
#include "core/oscore/message.hpp"

namespace sotto::app {

// Hands out Sender Sequence Numbers, each of them once, whatever happens.
class SequenceNumbers {
  public:
    // Trouble::State.
    virtual Outcome<oscore::Piv> take() = 0;

  protected:
    ~SequenceNumbers() = default;
};

// For a context that lives as long as this process.
class FreshSequenceNumbers final : public SequenceNumbers {
  public:
    Outcome<oscore::Piv> take() override { return oscore::Piv{next_++}; }

  private:
    std::uint64_t next_ = 0;
};

struct CoapRequest {
    coap::Code code = coap::Code::Get;
    std::vector<std::string> path;
    std::vector<std::string> query;
    std::optional<std::uint16_t> content_format;
    std::optional<std::uint16_t> accept;
    std::vector<std::uint8_t> payload;
};

struct CoapReply {
    coap::Code code = coap::Code::Empty;
    std::vector<std::uint8_t> payload;
    bool is_observed = false;  // notifications follow
};

class OscoreClient {
  public:
    struct Setup {
        CoapExchange& exchange;
        SequenceNumbers& numbers;
        const oscore::Context& context;
        std::optional<std::vector<std::uint8_t>> id_context;
        Duration patience = seconds(20);
    };
    explicit OscoreClient(Setup setup) : setup_(std::move(setup)) {}

    // The answer, whatever its code. Troubles as CoapExchange::send(); Trouble::NotTheDevice if it
    // does not verify, Trouble::Refused if the server answers without protection: it does not know
    // the context.
    Outcome<CoapReply> request(const CoapRequest& request);
    // As request(), and registers for notifications.
    Outcome<CoapReply> observe(const CoapRequest& request);
    // The next notification that is newer than all before; nothing if none comes in time.
    Outcome<std::optional<CoapReply>> next(Duration limit);

  private:
    // What varies between the messages of one request.
    struct Extras {
        std::optional<std::uint32_t> observe = std::nullopt;
        std::vector<std::uint8_t> echo = {};
        std::optional<coap::Block> block1 = std::nullopt;
        std::optional<coap::Block> block2 = std::nullopt;
        Bytes payload = {};
    };
    struct Answer {
        CoapReply reply;
        std::vector<std::uint8_t> echo;
        std::vector<std::uint8_t> etag;
        std::optional<coap::Block> block1;
        std::optional<coap::Block> block2;
        std::optional<oscore::Piv> piv;
    };

    // The answer to the whole payload, which goes in blocks if it is long.
    Outcome<Answer> send_payload(const CoapRequest& request);
    Outcome<Answer> ask(const CoapRequest& request, Extras extras);
    Outcome<Answer> ask_once(const CoapRequest& request, const Extras& extras);
    Outcome<CoapReply> complete(const CoapRequest& request, Answer answer);
    Outcome<Answer> open(const coap::Message& message) const;

    Setup setup_;
    oscore::RequestBinding binding_;
    oscore::RequestBinding request_tag_;  // the Partial IV of the first block (RFC 9175 §3)
    std::optional<oscore::Piv> newest_;   // of the notifications
};

}  // namespace sotto::app
