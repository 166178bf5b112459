// SPDX-License-Identifier: Apache-2.0
// Environment variables of an account, a product or a device: what is set, and what of it was
// rolled out. Each has what is above it, unless it sets the same itself. Allocates; pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::http {

class Environment {
  public:
    using Variables = std::map<std::string, std::string>;
    enum class Level : std::uint8_t { Owner, Product, Device };

    explicit Environment(Level level) : level_(level) {}
    // What definition() made; a text that is none has no variables.
    static Environment parse(Level level, std::string_view definition);
    std::string definition() const;

    // {"op": "Set", "key", "value"} or {"op": "Unset", "key"}, each in its turn; all or none. The
    // error says what is wrong.
    Result<void, std::string> apply(const nlohmann::json& ops,
                                    const std::string& user,
                                    Instant now);
    // What is set becomes what devices are to have.
    void roll_out(const std::string& user, Instant now);

    const Variables& latest() const { return latest_; }
    const Variables& snapshot() const { return snapshot_; }

    // All from above to this one, which is the last.
    using Chain = std::vector<Environment>;
    static nlohmann::json show(const Chain& chain);
    static nlohmann::json render(const Chain& chain);
    static nlohmann::json diff(const Chain& chain);

  private:
    struct Stamp {
        std::string user{};
        Instant at{};
    };
    static nlohmann::json to_json(const Stamp& stamp);
    static Stamp stamp_in(const nlohmann::json& definition, const char* name);
    static Variables flatten(const Chain& chain, Variables Environment::* which);
    static nlohmann::json inherited(const Chain& chain, Variables Environment::* which);

    Level level_;
    Variables latest_{};
    Variables snapshot_{};
    Stamp created_{};
    Stamp updated_{};
    Stamp rolled_out_{};
};

}  // namespace sotto::cloud::http
