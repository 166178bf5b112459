// SPDX-License-Identifier: Apache-2.0
// How the uplink to one cloud is protected: TLS 1.3 with a pin, with an authority's file or with
// the system's authorities, or in the clear. Allocates; parse() reads the system's from the disk.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "gateway/uplink/stream.hpp"
#include "ports/tls/peer_check.hpp"

namespace sotto::gateway::uplink {

class Security {
  public:
    struct Wish {
        std::string host;           // of the cloud, as it is dialled
        std::string pin{};          // fingerprint of the cloud's authority, or its certificate's
        std::string authorities{};  // or certificates in PEM
        bool allow_clear = false;   // beyond this machine, if there is neither
    };
    // With a pin or authorities it is TLS; without, TLS by the system's authorities beyond this
    // machine, in the clear on it. A sentence on what is wrong with the wish.
    static Result<Security, std::string> parse(const Wish& wish);

    bool is_clear() const { return is_clear_; }
    std::shared_ptr<Stream> make_stream(boost::asio::io_context& loop) const;

  private:
    Security() = default;

    ports::Trust trust_;
    std::shared_ptr<SSL_CTX> context_;  // of all connections; none in the clear
    bool is_clear_ = false;
    bool allow_clear_ = false;
};

}  // namespace sotto::gateway::uplink
